-- No picture is shown without a proof that the blurring made it: a statement that names the picture and the checksum of
-- the answer, signed with a key that neither the API nor its workers know. Role database verifies it (schema `proof`).
DO $$
BEGIN
  IF to_regprocedure('proof.signed(text,text)') IS NULL THEN
    RAISE EXCEPTION 'this database cannot verify proofs of blurring (was it restored from an old backup?): restart its container, which puts that in place';
  END IF;
END
$$;

CREATE TABLE IF NOT EXISTS priv.blurring_proofs (
  picture_id uuid PRIMARY KEY REFERENCES public.pictures (id) ON DELETE CASCADE,
  -- JSON, kept to the letter, as that is what is signed: picture, input and answer (SHA-256), service, version, models, made.
  statement text NOT NULL,
  signature text NOT NULL,
  recorded timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE priv.blurring_proofs IS 'That the blurring made what is shown of a picture, in its own signed words';

CREATE OR REPLACE FUNCTION priv.is_proof(picture uuid, statement text, signature text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  RETURN proof.signed(statement, signature) AND statement::jsonb ->> 'picture' = picture::text;
END
$$;

CREATE OR REPLACE FUNCTION priv.only_proofs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF priv.is_proof(NEW.picture_id, NEW.statement, NEW.signature) IS NOT TRUE THEN
    RAISE EXCEPTION 'This is no proof that picture % was blurred.', NEW.picture_id USING ERRCODE = 'PV403';
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_only_proofs', 'BEFORE INSERT OR UPDATE', 'priv.blurring_proofs', 'only_proofs');

CREATE OR REPLACE FUNCTION priv.is_proven(picture uuid) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM priv.blurring_proofs p WHERE p.picture_id = picture AND priv.is_proof(picture, p.statement, p.signature))
      OR EXISTS (SELECT FROM proof.before b WHERE b.picture_id = picture)
$$;

CREATE OR REPLACE FUNCTION priv.shown_only_blurred() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  -- What is shown already, or gets less so (upstream marks what is to be deleted), needs no new proof.
  IF TG_OP = 'UPDATE' AND (NEW.status <> 'ready' OR OLD.status = 'ready')
      AND (NEW.preparing_status <> 'prepared' OR OLD.preparing_status = 'prepared') THEN
    RETURN NEW;
  END IF;
  IF NOT priv.is_operator() AND NOT priv.is_proven(NEW.id) THEN
    RAISE EXCEPTION 'Picture % cannot be shown: there is no proof that it was blurred.', NEW.id USING ERRCODE = 'PV403';
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_shown_only_blurred', 'BEFORE INSERT OR UPDATE OF status, preparing_status', 'public.pictures',
  'shown_only_blurred', $$NEW.status = 'ready' OR NEW.preparing_status = 'prepared'$$);
