"""Human labels: what people are asked, what they see, and what their ratings change.

Inside, each file uses only the ones above it::

    units      what can be rated, and what judges and tests say of it      values
    queue      which units are drawn at random (audit)                     pure, blind to scores
    repair     which units look wrong (repair)                             pure
    labels     ratings -> audit labels or repair labels                    pure
    effect     what the labels change: agreement, bias, decisions          pure
    reading    the units of a run and their scores                         reads the store
    desk       queueing, the next item, rating, taking back                reads and writes the store
    sheet      one item as a rater may see it, and what is shown afterwards
    exchange   ratings as JSON lines, for work offline
    summary    the report of all this as text
"""
