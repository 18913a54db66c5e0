-- What the scripts may do, as panoramax_ops: create, name, block and delete accounts, give and take the administrator's
-- role, end tokens and make ones with an end, and read what is stored about one person. Not: read or write any other
-- table.
REVOKE ALL ON public.accounts, public.tokens, public.configurations FROM panoramax_ops;
REVOKE ALL ON ALL TABLES IN SCHEMA priv FROM panoramax_ops;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA priv FROM PUBLIC;
GRANT USAGE ON SCHEMA public, priv TO panoramax_ops;
GRANT SELECT, INSERT, UPDATE ON public.accounts TO panoramax_ops;
-- INSERT: upstream's trigger gives every new account a first token, as whoever inserted the account.
GRANT SELECT, INSERT, DELETE ON public.tokens TO panoramax_ops;
GRANT SELECT ON public.configurations TO panoramax_ops;
GRANT SELECT, INSERT, DELETE ON priv.blocked_accounts TO panoramax_ops;
GRANT SELECT ON priv.seal, priv.replaced_functions TO panoramax_ops;
GRANT SELECT, INSERT ON priv.token_ends TO panoramax_ops;
GRANT SELECT, INSERT (line) ON priv.account_log TO panoramax_ops;
