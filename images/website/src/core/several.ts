/** Does the same to many things, a few at a time, and tells how it went. */

const AT_ONCE = 3;

/**
 * Calls `act` for each thing; one that fails does not stop the others.
 * @param onDone called after each, with how many are through
 * @returns those that worked, and the first error
 */
export async function several<T>(
  things: readonly T[],
  act: (thing: T) => Promise<unknown>,
  onDone: (done: number) => void,
): Promise<{ worked: T[]; error: unknown }> {
  const left = [...things];
  const worked: T[] = [];
  let error: unknown = null;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let thing = left.shift(); thing !== undefined; thing = left.shift()) {
      try {
        await act(thing);
        worked.push(thing);
      } catch (caught) {
        error ??= caught;
      }
      onDone((done += 1));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { worked, error };
}
