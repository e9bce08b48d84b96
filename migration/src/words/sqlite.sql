-- Version 2 of the reading of text into words: the terms of all events are made anew by `ledgerline reindex`. Until then what is
-- searched for is tested on the rows.
INSERT INTO stale_terms (organization_no, done) SELECT organization_no, 0 FROM organization_head WHERE size > 0
ON CONFLICT (organization_no) DO UPDATE SET done = 0;
