-- Verifies what the blurring service signs (images/blurring/panoramax_blurring/proof.py); reconcile.sql runs this in the
-- API's database, as superuser. The API is that database's owner, but these objects belong to the superuser: it may ask
-- whether a statement is signed, and can neither read the keys nor change the answer.
BEGIN;
CREATE SCHEMA IF NOT EXISTS proof AUTHORIZATION postgres;
REVOKE ALL ON SCHEMA proof FROM PUBLIC;

-- HMAC-SHA256 (RFC 2104), without an extension that not every image has.
CREATE OR REPLACE FUNCTION proof.hmac(key bytea, message bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = ''
AS $$
DECLARE
  inner_pad bytea := CASE WHEN length(key) > 64 THEN sha256(key) ELSE key END;
  outer_pad bytea;
  byte integer;
BEGIN
  inner_pad := inner_pad || decode(repeat('00', 64 - length(inner_pad)), 'hex');
  outer_pad := inner_pad;
  FOR place IN 0..63 LOOP
    byte := get_byte(inner_pad, place);
    inner_pad := set_byte(inner_pad, place, byte # 54);
    outer_pad := set_byte(outer_pad, place, byte # 92);
  END LOOP;
  RETURN sha256(outer_pad || sha256(inner_pad || message));
END
$$;

-- One key a line: the one that is in use, and those that were. The file is mounted; no dump of the database holds it.
CREATE OR REPLACE FUNCTION proof.keys() RETURNS SETOF bytea
LANGUAGE sql VOLATILE SET search_path = ''
AS $$
  SELECT convert_to(line, 'UTF8')
  FROM regexp_split_to_table(pg_catalog.pg_read_file('/run/secrets/proof_keys'), E'\\s+') AS line WHERE line <> ''
$$;

CREATE OR REPLACE FUNCTION proof.signed(statement text, signature text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT EXISTS (SELECT FROM proof.keys() AS key
                 WHERE encode(proof.hmac(key, convert_to(statement, 'UTF8')), 'hex') = lower(signature))
$$;

-- Pictures that were shown before there were proofs. Taken once, when this schema is made; nobody can add to it but who
-- administers the database.
SELECT to_regclass('proof.before') IS NULL AS first \gset
CREATE TABLE IF NOT EXISTS proof.before (
  picture_id uuid PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE proof.before IS 'Pictures that were prepared before blurring was proved';
\if :first
SELECT $$INSERT INTO proof.before (picture_id) SELECT id FROM public.pictures WHERE preparing_status = 'prepared'$$
  WHERE to_regclass('public.pictures') IS NOT NULL \gexec
\endif

REVOKE ALL ON ALL TABLES IN SCHEMA proof FROM PUBLIC, panoramax, panoramax_ops;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA proof FROM PUBLIC, panoramax, panoramax_ops;
GRANT USAGE ON SCHEMA proof TO panoramax;
GRANT SELECT ON proof.before TO panoramax;
GRANT EXECUTE ON FUNCTION proof.signed(text, text) TO panoramax;
COMMIT;
