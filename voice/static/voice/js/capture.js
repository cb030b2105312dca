// Opens the microphone and hands out 40 ms frames of 16 kHz PCM16.

import { counters } from "./counters.js";

const RATE_HZ = 16000;
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
export async function openMicrophone({ frame, gone }) {
  const stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
  try {
    return await new Microphone(stream).start(frame, gone);
  } catch (error) {
    stream.getTracks().forEach((track) => track.stop());
    throw error;
  }
}

class Microphone {
  constructor(stream) {
    this.stream = stream;
  }

  async start(onFrame, onGone) {
    const { context, source } = sourceOf(this.stream);
    this.context = context;
    counters.captureHz = context.sampleRate;
    await context.audioWorklet.addModule(WORKLET);
    this.node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 1 });
    this.node.port.onmessage = ({ data }) => onFrame(data.frame, data.rms);
    // Connected through to the (silent) output, or some browsers never run the worklet.
    source.connect(this.node).connect(context.destination);
    this.stream.getTracks().forEach((track) => track.addEventListener("ended", onGone));
    await context.resume();
    return this;
  }

  setMuted(muted) {
    this.stream.getAudioTracks().forEach((track) => (track.enabled = !muted));
  }

  close() {
    this.node.port.onmessage = null;
    this.stream.getTracks().forEach((track) => track.stop());
    this.context.close();
  }
}

function sourceOf(stream) {
  let context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch {
    // Firefox refuses a microphone whose rate differs; the worklet resamples instead.
    context.close();
    context = new AudioContext({ latencyHint: "interactive" });
    return { context, source: context.createMediaStreamSource(stream) };
  }
}
