-- Whose turn it is. Upstream takes jobs in the order of their arrival: somebody who uploads three pictures waits until an
-- import of ten thousand is through. Here each job gets a place on a scale on which every account advances by one for
-- each picture, counted from where the queue is now (start-time fair queueing): accounts that wait take turns.
-- The launcher's workers take jobs in this order (launcher/jobs.py).
CREATE TABLE IF NOT EXISTS priv.job_turns (
  job_id uuid PRIMARY KEY REFERENCES public.job_queue (id) ON DELETE CASCADE,
  account_id uuid,
  turn double precision NOT NULL
);
CREATE INDEX IF NOT EXISTS job_turns_turn ON priv.job_turns (turn);
CREATE INDEX IF NOT EXISTS job_turns_account ON priv.job_turns (account_id, turn);
COMMENT ON TABLE priv.job_turns IS 'The place of each job in the queue, fair between accounts';

-- Plans are made while the queue is short and kept when it is long: without seq scans they stay right.
CREATE OR REPLACE FUNCTION priv.give_turn() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_sort = off
AS $$
DECLARE
  owner uuid;
  -- In pictures to blur: deleting one or reading its metadata again takes little, and what concerns whole uploads and
  -- sequences comes right after the pictures that it waits for.
  cost constant double precision := CASE NEW.task WHEN 'prepare' THEN 1 WHEN 'delete' THEN 0.02 WHEN 'read_metadata' THEN 0.02 ELSE 0 END;
BEGIN
  SELECT coalesce(
    (SELECT p.account_id FROM public.pictures p WHERE p.id = NEW.picture_id),
    (SELECT u.account_id FROM public.upload_sets u WHERE u.id = NEW.upload_set_id),
    (SELECT s.account_id FROM public.sequences s WHERE s.id = NEW.sequence_id)) INTO owner;
  INSERT INTO priv.job_turns (job_id, account_id, turn)
  SELECT NEW.id, owner, greatest(
    -- Where the queue is now. What failed and is tried again later stands still, and does not count.
    (SELECT t.turn FROM priv.job_turns t JOIN public.job_queue j ON j.id = t.job_id
     WHERE j.to_do_after_ts IS NULL ORDER BY t.turn LIMIT 1),
    (SELECT max(t.turn) + cost FROM priv.job_turns t WHERE t.account_id IS NOT DISTINCT FROM owner),
    0)
  ON CONFLICT (job_id) DO NOTHING;
  IF NEW.task = 'prepare' THEN
    -- Tried again, whoever asked for it: it is no longer broken, but waits.
    UPDATE public.pictures SET status = 'waiting-for-process', preparing_status = 'not-processed'
    WHERE id = NEW.picture_id AND preparing_status = 'broken';
  END IF;
  RETURN NULL;
END
$$;
SELECT priv.put_trigger('a_priv_give_turn', 'AFTER INSERT', 'public.job_queue', 'give_turn');

-- Upstream answers 500 to who asks for a picture that is in the queue already.
CREATE OR REPLACE FUNCTION priv.once_is_enough() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  RETURN CASE WHEN EXISTS (SELECT FROM public.job_queue j WHERE j.picture_id = NEW.picture_id) THEN NULL ELSE NEW END;
END
$$;
SELECT priv.put_trigger('a_priv_once_is_enough', 'BEFORE INSERT', 'public.job_queue', 'once_is_enough', $$NEW.task = 'prepare'$$);

-- Jobs of before this was there.
INSERT INTO priv.job_turns (job_id, account_id, turn)
SELECT j.id, o.account_id, row_number() OVER (PARTITION BY o.account_id ORDER BY j.ts) - 1
FROM public.job_queue j
CROSS JOIN LATERAL (SELECT coalesce(
  (SELECT p.account_id FROM public.pictures p WHERE p.id = j.picture_id),
  (SELECT u.account_id FROM public.upload_sets u WHERE u.id = j.upload_set_id),
  (SELECT s.account_id FROM public.sequences s WHERE s.id = j.sequence_id)) AS account_id) o
ON CONFLICT (job_id) DO NOTHING;

-- A picture without a job, neither prepared nor broken, would wait for ever (a process that was killed between two
-- transactions, or a restored backup). Workers ask for this now and then.
CREATE OR REPLACE FUNCTION priv.queue_forgotten_pictures() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  WITH queued AS (
    INSERT INTO public.job_queue (picture_id, task)
    SELECT p.id, 'prepare' FROM public.pictures p
    WHERE p.preparing_status NOT IN ('prepared', 'broken') AND p.status <> 'waiting-for-delete'
      AND p.inserted_at < now() - interval '10 minutes'
      AND NOT EXISTS (SELECT FROM public.job_queue j WHERE j.picture_id = p.id OR j.picture_to_delete_id = p.id)
    RETURNING 1)
  SELECT count(*) FROM queued
$$;

-- What the queue looks like, for scripts/blurring.py and monitoring.
CREATE OR REPLACE FUNCTION priv.queue_state() RETURNS TABLE (account text, waiting bigint, failing bigint, oldest text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT coalesce(a.name, ''), count(*), count(*) FILTER (WHERE j.nb_errors > 0 OR j.to_do_after_ts > now()), min(j.ts)::text
  FROM public.job_queue j JOIN priv.job_turns t ON t.job_id = j.id LEFT JOIN public.accounts a ON a.id = t.account_id
  WHERE j.task = 'prepare' GROUP BY a.id, a.name ORDER BY 2 DESC, 1
$$;

-- The pictures that failed, or fail: `next` is when they are tried again, empty for those that were given up.
CREATE OR REPLACE FUNCTION priv.failed_pictures() RETURNS TABLE (picture uuid, account text, file text, state text, tries integer, next text, reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT p.id, coalesce(a.name, ''), coalesce(p.metadata ->> 'originalFileName', ''), p.preparing_status::text,
         coalesce(j.nb_errors, 0), coalesce(j.to_do_after_ts::text, ''),
         coalesce((SELECT h.error FROM public.job_history h WHERE h.picture_id = p.id AND h.error IS NOT NULL
                   ORDER BY h.started_at DESC LIMIT 1), '')
  FROM public.pictures p JOIN public.accounts a ON a.id = p.account_id
  LEFT JOIN public.job_queue j ON j.picture_id = p.id AND j.task = 'prepare'
  WHERE p.preparing_status = 'broken' OR j.nb_errors > 0
  ORDER BY p.inserted_at, p.id
$$;

-- Tries broken pictures again, all of them where none is named. Returns those that are in the queue now.
CREATE OR REPLACE FUNCTION priv.retry_pictures(named uuid[] DEFAULT NULL) RETURNS SETOF uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  INSERT INTO public.job_queue (picture_id, task)
  SELECT p.id, 'prepare' FROM public.pictures p
  WHERE p.preparing_status = 'broken' AND (named IS NULL OR p.id = ANY (named))
  RETURNING picture_id
$$;
