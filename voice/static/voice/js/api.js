// The page's own requests: JSON in and out, CSRF sent, every failure one sentence.

const UNREACHABLE = "The server could not be reached, so nothing was changed. Try again in a moment.";
const SIGNED_OUT = "You have been signed out, so nothing was changed. Reload the page to sign in again.";

export class RequestError extends Error {}

// The response, which is good; throws RequestError for any other.
export async function send(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content,
        "X-Time-Zone": Intl.DateTimeFormat().resolvedOptions().timeZone,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new RequestError(UNREACHABLE);
  }
  if (response.redirected) throw new RequestError(SIGNED_OUT);
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  throw new RequestError(answer?.error ?? (response.status === 403 ? SIGNED_OUT : UNREACHABLE));
}

export async function request(method, path, body) {
  const response = await send(method, path, body);
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (answer) return answer;
  throw new RequestError(UNREACHABLE);
}
