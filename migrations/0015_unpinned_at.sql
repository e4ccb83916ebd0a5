-- When a content was last taken away: an upload that was claimed before that says nothing of what the provider holds now.
ALTER TABLE pinned_content ADD COLUMN unpinned_at timestamptz;
