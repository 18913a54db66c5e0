/** Pages that only need the texts and the top bar. */
import { start } from "../core/page";

await start();
