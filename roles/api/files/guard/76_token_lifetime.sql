-- No token works for longer than a year, whether or not somebody gave it an end (75_accounts.sql): one that is found in an
-- old script or backup would open everything that its person may see, for ever. People make a new one in their settings.
DROP POLICY IF EXISTS a_priv_token_lifetime ON public.tokens;
CREATE POLICY a_priv_token_lifetime ON public.tokens AS RESTRICTIVE
  USING (generated_at > now() - interval '1 year' OR priv.is_operator()) WITH CHECK (true);
