//! A frame and its encodings, each made at most once, however many clients get it.

use std::io::Write;
use std::sync::{Arc, OnceLock, Weak};

use engine_core::protocol::json::{Body, Envelope};
use engine_core::protocol::{
    Axis, Directory, Flags, Frame, HEADER_LEN, Header, Payload, Topic, encode_payload,
};

/// The bands of a spectrum, with their binary payload.
#[derive(Debug)]
pub struct SharedAxis {
    axis: Axis,
    payload: Vec<u8>,
}

impl SharedAxis {
    /// Encodes an axis.
    pub fn new(axis: Axis) -> Self {
        let mut payload = Vec::new();
        let wrapped = Payload::Axis(axis);
        encode_payload(&wrapped, &mut payload);
        let Payload::Axis(axis) = wrapped else { unreachable!("it was wrapped two lines above") };
        Self { axis, payload }
    }

    /// Stands for the configuration.
    pub fn id(&self) -> u32 {
        self.axis.id
    }
}

/// How the JSON object of a frame begins on one connection.
pub struct JsonHead {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl JsonHead {
    /// The longest name has nine letters, `seq` ten digits, and the others five.
    const MAX_LEN: usize = 80;

    /// The head of a topic's frame.
    pub fn new(topic: Topic, Envelope { seq, epoch, dropped }: Envelope) -> Self {
        let mut bytes = [0; Self::MAX_LEN];
        let mut left = &mut bytes[..];
        let name = topic.name();
        let written = write!(left, r#"{{"type":"{name}","seq":{seq},"epoch":{epoch},"dropped":{dropped}"#);
        debug_assert!(written.is_ok(), "there is room");
        let len = Self::MAX_LEN - left.len();
        Self { bytes, len }
    }

    /// UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// A frame that is ready to be sent under any connection's envelope.
#[derive(Debug)]
pub struct EncodedFrame {
    frame: Frame,
    taps: Arc<Directory>,
    axis: Option<Arc<SharedAxis>>,
    /// Frames that were merged into this one on its way here.
    dropped: u16,
    binary: OnceLock<Vec<u8>>,
    json: OnceLock<String>,
    /// An older frame, and what covers both.
    covering: OnceLock<(Weak<Self>, Arc<Self>)>,
}

impl EncodedFrame {
    /// Wraps a frame; `axis` is that of its spectrum.
    pub fn new(mut frame: Frame, taps: Arc<Directory>, axis: Option<Arc<SharedAxis>>) -> Self {
        if matches!(&frame.payload, Payload::Spectrum(spectrum) if spectrum.wide) {
            frame.flags = frame.flags.with(Flags::WIDE);
        }
        let (binary, json, covering) = Default::default();
        Self { frame, taps, axis, dropped: 0, binary, json, covering }
    }

    /// The same with a binary payload that came from elsewhere, and the number of frames that were merged into it.
    #[must_use]
    pub fn received(self, payload: &[u8], dropped: u16) -> Self {
        Self { binary: payload.to_vec().into(), dropped, ..self }
    }

    /// Frames that were merged into this one on its way here.
    pub fn dropped(&self) -> u16 {
        self.dropped
    }

    /// This frame, made to cover `older` too, for clients that were slow. When the server is, all miss the same: then
    /// they share it.
    #[must_use]
    pub fn covering(&self, older: &Arc<Self>) -> Arc<Self> {
        let cover = || {
            let mut frame = self.frame.clone();
            frame.absorb(&older.frame);
            Arc::new(Self::new(frame, self.taps.clone(), self.axis.clone()))
        };
        let (of, covering) = self.covering.get_or_init(|| (Arc::downgrade(older), cover()));
        // What is known weakly keeps its address.
        if of.as_ptr() == Arc::as_ptr(older) { covering.clone() } else { cover() }
    }

    /// This frame for one client, with a mark: a snapshot, or missing what came before it.
    #[must_use]
    pub fn marked(&self, mark: Flags) -> Self {
        let mut frame = self.frame.clone();
        frame.flags = frame.flags.with(mark);
        let marked = Self::new(frame, self.taps.clone(), self.axis.clone());
        Self { binary: self.binary.clone(), ..marked }
    }

    /// This frame under the number that its tap has among other taps; `None` when it is gone.
    pub fn moved(&self, taps: &Arc<Directory>) -> Option<Self> {
        let tap = taps.find(&self.taps.key(self.frame.tap)).ok()?;
        Some(Self::new(Frame { tap, ..self.frame.clone() }, taps.clone(), self.axis.clone()))
    }

    /// The values.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// What it is a measurement of.
    pub fn topic(&self) -> Topic {
        self.frame.payload.topic()
    }

    /// The bands of its spectrum.
    pub fn axis(&self) -> Option<&SharedAxis> {
        self.axis.as_deref()
    }

    /// What [`Self::write_binary`] appends, bytes.
    pub fn binary_len(&self) -> usize {
        HEADER_LEN + self.binary().len()
    }

    /// Appends header and payload.
    pub fn write_binary(&self, envelope: Envelope, out: &mut Vec<u8>) {
        self.write(self.topic(), self.frame.flags, envelope, self.binary(), out);
    }

    fn binary(&self) -> &[u8] {
        self.binary.get_or_init(|| {
            let mut payload = Vec::new();
            encode_payload(&self.frame.payload, &mut payload);
            payload
        })
    }

    /// What [`Self::write_axis`] appends, bytes.
    pub fn axis_len(&self) -> usize {
        self.axis.as_ref().map_or(0, |axis| HEADER_LEN + axis.payload.len())
    }

    /// Appends header and payload of the axis, if the frame has one.
    pub fn write_axis(&self, envelope: Envelope, out: &mut Vec<u8>) {
        if let Some(axis) = &self.axis {
            self.write(Topic::Axis, Flags::default(), envelope, &axis.payload, out);
        }
    }

    fn write(&self, topic: Topic, flags: Flags, envelope: Envelope, payload: &[u8], out: &mut Vec<u8>) {
        let header = Header {
            topic: topic as u8,
            flags,
            tap: self.frame.tap.0,
            seq: envelope.seq,
            sample_position: self.frame.sample_position,
            payload_len: payload.len() as u32,
            epoch: envelope.epoch,
            dropped: envelope.dropped,
        };
        out.reserve(HEADER_LEN + payload.len());
        out.extend_from_slice(&header.encode());
        out.extend_from_slice(payload);
    }

    /// The frame as a JSON object, but for its [`JsonHead`].
    pub fn json_body(&self) -> &str {
        self.json.get_or_init(|| {
            let body = match &self.frame.payload {
                Payload::Text(topic, text) => Some(self.body_of_text(*topic, text)),
                _ => {
                    let axis = self.axis.as_deref().map(|axis| &axis.axis);
                    let body = Body::new(&self.frame, &self.taps, axis);
                    body.and_then(|body| serde_json::to_string(&body).ok())
                }
            };
            match body.as_deref().and_then(|body| body.strip_prefix('{')) {
                None | Some("}") => String::from("}"),
                Some(fields) => format!(",{fields}"),
            }
        })
    }

    /// The JSON of a payload that came as text: its fields, and those that the header has.
    fn body_of_text(&self, topic: Topic, text: &str) -> String {
        let fields = text.trim_start().strip_prefix('{').unwrap_or("}");
        let comma = if fields.trim_start() == "}" { "" } else { "," };
        let tap = if topic.is_per_tap() {
            let key = serde_json::Value::String(self.taps.key(self.frame.tap));
            format!(r#""tap":{key},"#)
        } else {
            String::new()
        };
        format!(r#"{{{tap}"sample_position":{}{comma}{fields}"#, self.frame.sample_position)
    }
}

#[cfg(test)]
mod tests {
    use engine_core::analysis::spectrum::Scale;
    use engine_core::control::TapId;
    use engine_core::protocol::Analytics;
    use engine_core::units::SampleRate;

    use super::*;

    fn analytics() -> EncodedFrame {
        let payload = Payload::Analytics(Analytics { clients: 3, ..Analytics::default() });
        let frame = Frame { tap: TapId::MASTER, flags: Flags::SNAPSHOT, sample_position: 7, payload };
        EncodedFrame::new(frame, Arc::new(Directory::new(SampleRate::DEFAULT, None)), None)
    }

    #[test]
    fn the_envelope_is_part_of_the_json_object() {
        let frame = analytics();
        let head = JsonHead::new(frame.topic(), Envelope { seq: 5, epoch: 6, dropped: 1 });
        let json = [head.as_bytes(), frame.json_body().as_bytes()].concat();
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value["type"], "analytics");
        assert_eq!((&value["seq"], &value["epoch"], &value["dropped"]), (&5.into(), &6.into(), &1.into()));
        assert_eq!((&value["clients"], &value["sample_position"]), (&3.into(), &7.into()));
    }

    #[test]
    fn who_missed_the_same_shares_what_covers_it() {
        let [older, other, newer] = std::array::from_fn(|_| Arc::new(analytics()));
        let shared = newer.covering(&older);
        assert!(Arc::ptr_eq(&shared, &newer.covering(&older)));
        assert!(!Arc::ptr_eq(&shared, &newer.covering(&other)));
        assert!(Arc::ptr_eq(&shared, &newer.covering(&older)));
    }

    #[test]
    fn the_longest_head_has_room() {
        let envelope = Envelope { seq: u32::MAX, epoch: u16::MAX, dropped: u16::MAX };
        for topic in Topic::STREAMS {
            assert!(JsonHead::new(topic, envelope).as_bytes().ends_with(br#""dropped":65535"#));
        }
    }

    #[test]
    fn the_envelope_is_in_the_binary_header() {
        let mut bytes = vec![99];
        analytics().write_binary(Envelope { seq: 5, epoch: 6, dropped: 1 }, &mut bytes);
        let (header, payload, rest) = Header::split(&bytes[1..]).unwrap();
        assert_eq!((header.topic, header.seq, header.epoch, header.dropped), (5, 5, 6, 1));
        assert_eq!((header.flags, header.sample_position, rest), (Flags::SNAPSHOT, 7, &[][..]));
        assert_eq!(header.payload_len as usize, payload.len());
        assert_eq!(analytics().binary_len(), bytes.len() - 1);
    }

    #[test]
    fn lengths_are_said_before_the_bytes_are_there() {
        let axis = Axis::new(1024, 48_000, Scale::Log, &[20.0, 200.0, 2_000.0]);
        let shared = Arc::new(SharedAxis::new(axis));
        let EncodedFrame { frame, taps, .. } = analytics();
        let frame = EncodedFrame::new(frame, taps, Some(shared));
        let mut bytes = Vec::new();
        frame.write_axis(Envelope::default(), &mut bytes);
        assert_eq!(frame.axis_len(), bytes.len());
        frame.write_binary(Envelope::default(), &mut bytes);
        assert_eq!(frame.axis_len() + frame.binary_len(), bytes.len());
    }
}
