-- A policy that would be weaker than the present one, and waits for a second person.
ALTER TABLE approval ADD COLUMN policy TEXT;
CREATE INDEX approval_policy ON approval (tenant) WHERE status = 0 AND policy IS NOT NULL;
