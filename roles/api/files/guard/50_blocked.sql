-- An account that is blocked loses everything in the transaction that blocks it: its tokens, its role, and through
-- 10_visibility.sql all that a cookie could still show. Unblocking gives the role back; tokens are made anew.
CREATE OR REPLACE FUNCTION priv.block() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM public.accounts a WHERE a.id = NEW.account_id AND a.is_default) THEN
    RAISE EXCEPTION 'the default account owns what the gate asks for and cannot be blocked'
      USING ERRCODE = 'PV403';
  END IF;
  SELECT a.role INTO NEW.role_before FROM public.accounts a WHERE a.id = NEW.account_id FOR UPDATE;
  UPDATE public.accounts SET role = 'user' WHERE id = NEW.account_id AND role <> 'user';
  DELETE FROM public.tokens WHERE account_id = NEW.account_id;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_block', 'BEFORE INSERT', 'priv.blocked_accounts', 'block');

CREATE OR REPLACE FUNCTION priv.unblock() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  UPDATE public.accounts SET role = OLD.role_before WHERE id = OLD.account_id AND role <> OLD.role_before;
  RETURN NULL;
END
$$;
SELECT priv.put_trigger('a_priv_unblock', 'AFTER DELETE', 'priv.blocked_accounts', 'unblock');

-- Nothing new comes from a blocked account, nor from one that no longer exists.
CREATE OR REPLACE FUNCTION priv.blocked_writes_nothing() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF priv.is_blocked(NEW.account_id) THEN
    RAISE EXCEPTION 'This account is blocked.' USING ERRCODE = 'PV403';
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_blocked', 'BEFORE INSERT', 'public.upload_sets', 'blocked_writes_nothing');
SELECT priv.put_trigger('a_priv_blocked', 'BEFORE INSERT', 'public.sequences', 'blocked_writes_nothing');
SELECT priv.put_trigger('a_priv_blocked', 'BEFORE INSERT', 'public.pictures', 'blocked_writes_nothing');
SELECT priv.put_trigger('a_priv_blocked', 'BEFORE INSERT', 'public.excluded_areas', 'blocked_writes_nothing');

-- Tokens belong to an account from their first moment. Upstream lets anybody make one without, as often as they like,
-- and hand it to somebody who is signed in: one click on the claim link makes it a token of that person.
CREATE OR REPLACE FUNCTION priv.token_of_somebody() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF NEW.account_id IS NULL OR (TG_OP = 'UPDATE' AND OLD.account_id IS DISTINCT FROM NEW.account_id) THEN
    RAISE EXCEPTION 'Tokens are made by the person who will use them, signed in, in the settings.'
      USING ERRCODE = 'PV403';
  END IF;
  IF priv.is_blocked(NEW.account_id) THEN
    RAISE EXCEPTION 'This account is blocked.' USING ERRCODE = 'PV403';
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_token_of_somebody', 'BEFORE INSERT OR UPDATE OF account_id', 'public.tokens', 'token_of_somebody');
DELETE FROM public.tokens WHERE account_id IS NULL;

-- A blocked account stays an ordinary one: the role comes back with the unblocking.
CREATE OR REPLACE FUNCTION priv.blocked_has_no_role() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  UPDATE priv.blocked_accounts SET role_before = NEW.role WHERE account_id = NEW.id;
  IF FOUND THEN
    NEW.role := 'user';
  END IF;
  RETURN NEW;
END
$$;
SELECT priv.put_trigger('a_priv_blocked_has_no_role', 'BEFORE UPDATE OF role', 'public.accounts', 'blocked_has_no_role',
  $$NEW.role <> 'user'$$);
