"""A simulated world for the live count: one seed, one run.

The production code of one to three processes runs in virtual time, one callback after another, in a world of a hub, a
store and sinks that fail in every way in which they may. The world remembers all that it gave and took, so that an
oracle can say of every record, cursor and checkpoint whether it is true.
"""
