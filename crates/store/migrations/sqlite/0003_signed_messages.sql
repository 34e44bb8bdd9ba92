-- The header that signs the stored answer, where the session is one of signed messages.
ALTER TABLE contact ADD COLUMN reply_seal TEXT;
-- Whether the device was sent a notification made with the nonce for devices that lost theirs.
ALTER TABLE contact ADD COLUMN resync INTEGER NOT NULL DEFAULT 0;
