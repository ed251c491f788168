/** A stereo sine as a WAV file of 16 bits; with tremolo it swells and fades by 6 dB once a second, so that meters move. */
export function sineWav({ hz, seconds, sampleRate = 48_000, amplitude = 0.5, tremolo = false }: {
  hz: number;
  seconds: number;
  sampleRate?: number;
  amplitude?: number;
  tremolo?: boolean;
}): Uint8Array {
  const nFrames = Math.round(seconds * sampleRate);
  const bytes = Buffer.alloc(44 + nFrames * 4);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(sampleRate * 4, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(nFrames * 4, 40);
  for (let frame = 0; frame < nFrames; frame += 1) {
    const swell = tremolo ? 0.75 + 0.25 * Math.cos((2 * Math.PI * frame) / sampleRate) : 1;
    const sample = Math.round(swell * amplitude * 32_767 * Math.sin((2 * Math.PI * hz * frame) / sampleRate));
    bytes.writeInt16LE(sample, 44 + frame * 4);
    bytes.writeInt16LE(sample, 46 + frame * 4);
  }
  return bytes;
}
