-- Cookies that signing out ended. Upstream checks a cookie by its signature alone, and only asks the browser to forget it;
-- the launcher of the API writes here what was signed out, and looks here with each request.
CREATE TABLE IF NOT EXISTS priv.signed_out (
  digest bytea PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS signed_out_since ON priv.signed_out (since);
COMMENT ON TABLE priv.signed_out IS 'SHA-256 of the signed part of cookies that were signed out; of use until the cookie ends by itself';
