-- name: get_meta
-- The whole head of the case.
SELECT key, value FROM meta ORDER BY key;

-- name: put_meta
INSERT INTO meta (key, value) VALUES (:key, :value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: get_items
-- All things of one kind, in the order of the paper.
SELECT body FROM item WHERE kind = :kind ORDER BY position, id;

-- name: get_content
-- Everything that the case says, in one order: what its digest is taken over.
SELECT 'meta' AS kind, 0 AS position, key AS id, value AS body FROM meta
UNION ALL SELECT kind, position, id, body FROM item
ORDER BY kind, position, id;

-- name: drop_items
DELETE FROM item WHERE kind = :kind;

-- name: put_item
INSERT INTO item (kind, position, id, body) VALUES (:kind, :position, :id, :body)
ON CONFLICT (kind, id) DO UPDATE SET position = excluded.position, body = excluded.body;

-- name: put_identity
INSERT INTO identity (pseudonym, value) VALUES (:pseudonym, :value)
ON CONFLICT (pseudonym) DO NOTHING;

-- name: get_identity
SELECT value FROM identity WHERE pseudonym = :pseudonym;

-- name: drop_identities
DELETE FROM identity;

-- name: last_audit
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1;

-- name: put_audit
INSERT INTO audit (seq, at, actor, action, subject, reason, digest, prev, hash)
VALUES (:seq, :at, :actor, :action, :subject, :reason, :digest, :prev, :hash);

-- name: get_audit
SELECT seq, at, actor, action, subject, reason, digest, prev, hash FROM audit ORDER BY seq;
