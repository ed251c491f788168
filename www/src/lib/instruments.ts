/** General MIDI programmes by name; the engine plays the nearest of its sounds. */
const FAMILIES: readonly (readonly [family: string, names: string])[] = [
  ["Piano", "Acoustic grand,Bright acoustic,Electric grand,Honky-tonk,Electric piano 1,Electric piano 2,Harpsichord,Clavinet"],
  ["Chromatic percussion", "Celesta,Glockenspiel,Music box,Vibraphone,Marimba,Xylophone,Tubular bells,Dulcimer"],
  ["Organ", "Drawbar organ,Percussive organ,Rock organ,Church organ,Reed organ,Accordion,Harmonica,Tango accordion"],
  ["Guitar", "Nylon guitar,Steel guitar,Jazz guitar,Clean guitar,Muted guitar,Overdriven guitar,Distortion guitar,Guitar harmonics"],
  ["Bass", "Acoustic bass,Fingered bass,Picked bass,Fretless bass,Slap bass 1,Slap bass 2,Synth bass 1,Synth bass 2"],
  ["Strings", "Violin,Viola,Cello,Contrabass,Tremolo strings,Pizzicato strings,Harp,Timpani"],
  ["Ensemble", "String ensemble 1,String ensemble 2,Synth strings 1,Synth strings 2,Choir aahs,Voice oohs,Synth voice,Orchestra hit"],
  ["Brass", "Trumpet,Trombone,Tuba,Muted trumpet,French horn,Brass section,Synth brass 1,Synth brass 2"],
  ["Reed", "Soprano sax,Alto sax,Tenor sax,Baritone sax,Oboe,English horn,Bassoon,Clarinet"],
  ["Pipe", "Piccolo,Flute,Recorder,Pan flute,Blown bottle,Shakuhachi,Whistle,Ocarina"],
  ["Synth lead", "Square lead,Saw lead,Calliope,Chiff,Charang,Voice lead,Fifths,Bass and lead"],
  ["Synth pad", "New age,Warm pad,Polysynth,Choir pad,Bowed pad,Metallic pad,Halo pad,Sweep pad"],
  ["Synth effects", "Rain,Soundtrack,Crystal,Atmosphere,Brightness,Goblins,Echoes,Sci-fi"],
  ["World", "Sitar,Banjo,Shamisen,Koto,Kalimba,Bagpipe,Fiddle,Shanai"],
  ["Percussive", "Tinkle bell,Agogo,Steel drums,Woodblock,Taiko,Melodic tom,Synth drum,Reverse cymbal"],
  ["Sounds", "Fret noise,Breath noise,Seashore,Bird,Telephone,Helicopter,Applause,Gunshot"],
];

export interface Family {
  name: string;
  programs: { program: number; name: string }[];
}

export const INSTRUMENTS: readonly Family[] = FAMILIES.map(([name, names], family) => ({
  name,
  programs: names.split(",").map((one, idx) => ({ program: family * 8 + idx, name: one })),
}));
