-- Nobody's e-mail address is shown to others. Upstream shows as a person's name whatever the identity provider names first,
-- and takes it anew at each sign-in: an e-mail address where people sign in by theirs, or where the provider sends none.
CREATE OR REPLACE FUNCTION priv.name_is_no_address() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  -- Not even the part before the @, which is often all that is missing to guess the rest.
  NEW.name := 'person-' || left(NEW.id::text, 8);
  RETURN NEW;
END
$$;
-- The two other signs are what keyboards and other scripts have for it.
SELECT priv.put_trigger('a_priv_name_is_no_address', 'BEFORE INSERT OR UPDATE OF name', 'public.accounts', 'name_is_no_address',
  $$NEW.name ~ '[@＠﹫]' AND NOT priv.is_operator()$$);
UPDATE public.accounts SET name = name WHERE name ~ '[@＠﹫]';
