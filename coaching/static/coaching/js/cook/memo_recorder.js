// Records the voice memo: what the microphone hears, how loud it is, and every second's piece as it comes.

const TYPES = ["audio/webm;codecs=opus", "audio/mp4"];
const PIECE_MS = 1000;

export function findRecordingType() {
  return TYPES.find((type) => window.MediaRecorder?.isTypeSupported(type)) ?? null;
}

export function canRecord() {
  return Boolean(navigator.mediaDevices?.getUserMedia) && findRecordingType() !== null;
}

export class MemoRecorder {
  #pieces = [];
  #stream = null;
  #recorder = null;
  #audio = null;
  #frame = 0;
  #startedAt = 0;

  // onTick(seconds, level 0 to 1) many times a second; onPiece(blob so far, seconds); onEnd(blob, seconds) once.
  constructor({ maxSeconds, onTick, onPiece, onEnd }) {
    Object.assign(this, { maxSeconds, onTick, onPiece, onEnd });
  }

  get isRecording() {
    return this.#recorder?.state === "recording";
  }

  get #seconds() {
    return (performance.now() - this.#startedAt) / 1000;
  }

  // Asks for the microphone; rejects with the browser's NotAllowedError, NotFoundError...
  async start() {
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
    const type = findRecordingType();
    this.#pieces = [];
    this.#recorder = new MediaRecorder(this.#stream, { mimeType: type, audioBitsPerSecond: 64_000 });
    this.#recorder.addEventListener("dataavailable", (event) => {
      if (event.data.size) {
        this.#pieces.push(event.data);
        this.onPiece(this.#gather(type), this.#seconds);
      }
      if (this.#seconds >= this.maxSeconds - 1.5) {
        this.stop(); // here, because nothing is drawn while the page is hidden
      }
    });
    this.#recorder.addEventListener("stop", () => {
      const seconds = Math.min(this.#seconds, this.maxSeconds);
      this.#release();
      this.onEnd(this.#gather(type), seconds);
    });
    // A call, or a microphone that is pulled out: what was said so far stays.
    this.#stream.getAudioTracks()[0].addEventListener("ended", () => this.stop());
    this.#recorder.start(PIECE_MS);
    this.#startedAt = performance.now();
    this.#listen();
  }

  stop() {
    if (this.isRecording) {
      this.#recorder.stop();
    }
  }

  #gather(type) {
    return new Blob(this.#pieces, { type: type.split(";")[0] });
  }

  #listen() {
    this.#audio = new AudioContext();
    const analyser = this.#audio.createAnalyser();
    analyser.fftSize = 1024;
    this.#audio.createMediaStreamSource(this.#stream).connect(analyser);
    const wave = new Float32Array(analyser.fftSize);
    const tick = () => {
      analyser.getFloatTimeDomainData(wave);
      const power = wave.reduce((sum, value) => sum + value * value, 0) / wave.length;
      // -60 dB and below is nothing, -10 dB is full.
      const level = Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 60) / 50));
      this.onTick(this.#seconds, level);
      this.#frame = requestAnimationFrame(tick);
    };
    this.#frame = requestAnimationFrame(tick);
  }

  #release() {
    cancelAnimationFrame(this.#frame);
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#audio?.close();
  }
}
