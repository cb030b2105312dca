// Fetches a spoken reminder; it is told to the page while its sound is still being made.

const TRIES = 20;
const BETWEEN_MS = 500;

// The WAV as ArrayBuffer, or null when there is none in time.
export async function fetchClip(url) {
  for (let tried = 0; tried < TRIES; tried++) {
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return response.arrayBuffer();
    if (response && response.status !== 404) return null;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  return null;
}
