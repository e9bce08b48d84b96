-- A replay fares by itself: what is refused in it waits and is put aside without holding up new events, nor they it.
-- `refusals` and `replay_refusals` count how often the next event of each was refused in a row, `replay_due_ns` is when the
-- replay goes on.
ALTER TABLE delivery ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN replay_refusals INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN replay_due_ns INTEGER NOT NULL DEFAULT 0;
