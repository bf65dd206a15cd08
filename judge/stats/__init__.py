"""Statistics of scores: what may be said with them, and how surely. Pure: no I/O, no clock, every draw from a seed passed in.

A leaf: of this project it knows ``judge.types``, ``judge.errors`` and ``runner.types``. Import its modules where they are used;
scipy and evalica take a second to load.

    intervals       tier scores and what they decide (imprecise Dirichlet)
    figures         Interval, Coefficient, Refused: what the others return
    resampling      bootstrap over whole questions
    alpha kappa gwet            agreement coefficients; ``agreement`` puts them on one page
    reliability     ICC
    clustered       standard errors over questions, and when an interval for a population may be given
    labels estimators ppi       human labels, and what they say about the judge's bias
    exam_stats      rates of a judge on answers whose truth is known, and its gates
    self_preference severity, own-family bonus, how many judges a panel is worth
    ranking         pairwise verdicts -> abilities
    paired          two arms on the same questions
"""
