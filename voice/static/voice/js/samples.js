// Fetches a spoken sample of a voice; a worker makes it when it is asked for the first time.

import { RequestError, send } from "./api.js";

const ADDRESS = "/preferences/sample/";
const TRIES = 24;
const BETWEEN_MS = 500;
const TOO_LATE = "The sample did not come in time. Try again in a moment.";

// The WAV as ArrayBuffer. Throws RequestError with the sentence to show.
export async function fetchSample(voice) {
  for (let tried = 0; tried < TRIES; tried++) {
    const response = await send("POST", ADDRESS, { voice });
    if (response.status !== 202) return response.arrayBuffer();
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  throw new RequestError(TOO_LATE);
}
