-- A content that another provider took is owed to the one that was to hold it: its row there is still pending, and nobody
-- has it in hand. Those that wait longest come first.
CREATE INDEX pinned_content_owed ON pinned_content (provider, claimed_until) WHERE state = 'pending';
