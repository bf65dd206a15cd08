"""Jobs: what is asked for over HTTP is written down here, and carried out in the background, one after the other.

A worker in the service starts each job as a process of its own (``judge job ID``), so pages are answered while models run, and a
job that breaks takes nothing with it. What a job is and how far it is stands in the store: whoever starts the service next goes
on with it, and the run asks for exactly what is missing. Two locks on files, which the kernel lets go with their process, keep it
to one worker and one job a store.
"""
