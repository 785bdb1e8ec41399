"""Remembering: definitions and messages that outlive the process. The only layer that knows what a disk is.

The model changes many small things in a moment; a disk wants few large, synced writes. So every change goes into an
*open batch*, and one thread writes one batch at a time, in one transaction with one sync:

       loop thread          put put delete put │ put delete │ put put put put │ …
                                                │            │                 │
       open batch     ───────────[ A ]─────────►─────[ B ]───►───────[ C ]─────►
       batch in flight             thread: write A + sync     write B + sync
       told committed                                  A ▲               B ▲

While A is on the disk, B fills: the busier the broker, the larger its batches, without a timer anywhere.

What is promised, and when:

- `when_committed` calls back once all that was changed before the call is synced, in order of asking. Confirms,
  tx.commit-ok and the -ok of a durable declaration are sent from such a callback and from nowhere else.
- A delete that meets its put in the open batch takes it out again: neither reaches the disk.
- A batch is one transaction: after a crash all of it is there, or nothing.
- `read` sees everything that was put, written or not.

In reading order: `base` (the contract), `batch`, `records` (the bytes), `lmdb_store`, `committer`, `memory`.
"""
