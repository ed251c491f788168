/** The package's elements, as React writes them: what an element has as a property is set as one. */
import { AntiphonGoniometer, AntiphonMeter, type AntiphonSpectrogram } from "antiphon/elements";
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { Source, StreamOptions } from "antiphon";
import { prepareElsewhere } from "../canvas/elsewhere";

// Not the spectrogram: its columns are on the main thread.
AntiphonGoniometer.prepare = AntiphonMeter.prepare = prepareElsewhere;

interface Common {
  source: Source;
  tap: string;
  fps?: number;
  options?: StreamOptions;
  label?: string;
}

type Props<E, More = object> = DetailedHTMLProps<HTMLAttributes<E>, E> & Common & More;

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "antiphon-goniometer": Props<AntiphonGoniometer, { range?: number }>;
      "antiphon-meter": Props<AntiphonMeter, { "min-db"?: number; "max-db"?: number }>;
      "antiphon-spectrogram": Props<AntiphonSpectrogram, { seconds?: number; colors?: string; "min-db"?: number }>;
    }
  }
}
