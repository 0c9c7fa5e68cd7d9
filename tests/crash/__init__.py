"""The crash test: replicas of logcount are killed at every step of settling, and the books must balance all the same.

`python -m crash --runs 5 --seed 1` plays runs of consecutive seeds. A run publishes a seeded stream of events to a hub
of its own, lets one to three replicas live and die over it (killed from outside at any instant, from inside at a
chosen step, or asked to stop; frozen before a step, to go on when others have taken over), disturbs the hub, the sink
and the stores' answers, and ends with one healthy replica.
Then ledger, checkpoints and what ingestion accepted are read as plain JSON and compared with the stream, record by
record. The same seed gives the same stream and the same plan; the processes' own timing differs from time to time.

Azurite grants a first claim on a partition that is already owned, and ownership expires after 2 s here, so two owners
at once happen more often than on Azure: no result rests on ownership being exclusive.
"""
