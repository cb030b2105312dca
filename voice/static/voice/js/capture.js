// Opens the microphone and hands out 40 ms frames of PCM16 at the call's own rate.

import { counters } from "./counters.js";

const CONSTRAINTS = {
  audio: {
    channelCount: 1,
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
  },
};
const WORKLET = new URL("./worklets/capture.js", import.meta.url);

// Throws the browser's DOMException when there is no microphone to be had.
export async function openMicrophone({ rateHz, frame, gone }) {
  const stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
  try {
    return await new Microphone(stream, frame, gone).start(rateHz);
  } catch (error) {
    stream.getTracks().forEach((track) => track.stop());
    throw error;
  }
}

class Microphone {
  constructor(stream, onFrame, onGone) {
    this.stream = stream;
    this.onFrame = onFrame;
    this.stream.getTracks().forEach((track) => track.addEventListener("ended", onGone));
  }

  async start(rateHz) {
    const { context, source } = sourceOf(this.stream, rateHz);
    this.context = context;
    this.rateHz = rateHz;
    counters.captureHz = context.sampleRate;
    await context.audioWorklet.addModule(WORKLET);
    const processorOptions = { rateHz };
    this.node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 1, processorOptions });
    this.node.port.onmessage = ({ data }) => this.onFrame(data.frame, data.rms);
    // Connected through to the (silent) output, or some browsers never run the worklet.
    source.connect(this.node).connect(context.destination);
    await context.resume();
    return this;
  }

  // The same microphone at another rate; no frame of the old one comes after this was called.
  async setRate(rateHz) {
    if (rateHz === this.rateHz) return;
    this.stopContext();
    await this.start(rateHz);
  }

  setMuted(muted) {
    this.stream.getAudioTracks().forEach((track) => (track.enabled = !muted));
  }

  close() {
    this.stream.getTracks().forEach((track) => track.stop());
    this.stopContext();
  }

  stopContext() {
    if (this.node) this.node.port.onmessage = null;
    if (this.context.state !== "closed") this.context.close();
  }
}

function sourceOf(stream, rateHz) {
  let context = new AudioContext({ sampleRate: rateHz, latencyHint: "interactive" });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch {
    // Firefox refuses a microphone whose rate differs; the worklet resamples instead.
    context.close();
    context = new AudioContext({ latencyHint: "interactive" });
    return { context, source: context.createMediaStreamSource(stream) };
  }
}
