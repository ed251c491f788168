//! What a client reads, checked against what the world was like.

use engine_core::analysis::meter::MeterBlock;
use engine_core::control::TapId;
use engine_core::math::db_from_gain;
use engine_core::protocol::{Flags, Header, Payload, Tap, Topic, decode_payload};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::super::world::{Track, World};
use super::{Manner, Peer};

impl Peer {
    /// Reads all that has arrived, and checks it.
    pub(in crate::ws::simulation) fn listen(&mut self, world: &World) {
        if !self.client.get_ref().incoming.is_empty() {
            self.read(world);
        }
        let _ = self.client.flush();
    }

    fn read(&mut self, world: &World) {
        loop {
            match self.client.read() {
                Ok(Message::Text(text)) => {
                    self.fold(text.as_bytes());
                    let value: Value = serde_json::from_str(&text).expect("JSON");
                    self.hear_json(&value, world);
                }
                Ok(Message::Binary(bytes)) => {
                    self.fold(&bytes);
                    let mut rest = &bytes[..];
                    while let Some((header, payload, after)) = Header::split(rest) {
                        self.hear_binary(&header, payload, world);
                        rest = after;
                    }
                    assert!(rest.is_empty(), "whole frames");
                }
                Ok(Message::Close(frame)) => self.code = frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    fn fold(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn hear_json(&mut self, value: &Value, world: &World) {
        let kind = value["type"].as_str().expect("a type");
        let number = |field: &str| value[field].as_u64().expect("a number");
        let level = |value: &Value| value.as_f64().expect("a level");
        let id = |value: &Value| value.as_str().and_then(|id| id.parse().ok()).expect("a track's id");
        match kind {
            "hello" => {
                let is_first = self.taps.is_empty();
                assert!(!is_first || self.seqs.is_empty() && self.n_pongs == 0, "hello comes first");
                self.hear_hello(serde_json::from_value(value["taps"].clone()).expect("taps"));
            }
            "error" => assert_eq!(value["code"], "invalid_option", "{value}"),
            "pong" => {
                assert_eq!(
                    (&value["t0"], &value["t1"], &value["t2"]),
                    (&5.0.into(), &6.0.into(), &6.5.into())
                );
                self.n_pongs += 1;
            }
            "meters" => {
                self.count(kind.to_owned(), TapId::MASTER.0, number("seq"), number("dropped"));
                let tracks = value["tracks"].as_array().expect("tracks").iter();
                let tracks = tracks.filter(|row| row["track_id"] != "input");
                let tracks: Vec<_> =
                    tracks.map(|row| (Track::of(id(&row["track_id"])), level(&row["peak_left"]))).collect();
                self.hear_tracks(&tracks);
                // JSON does not say which frame is a snapshot, but frames fall on positions of their own.
                let position = number("sample_position");
                let is_snapshot = !World::is_due(position, self.fps) || position == self.newest;
                self.hear_peak(position, level(&value["master"]["peak_left"]), is_snapshot, world);
            }
            "spectrum" => {
                self.count(kind.to_owned(), TapId::MASTER.0, number("seq"), number("dropped"));
            }
            "waveform" => {
                let track = Track::of(id(&value["tap"]));
                let place = self.taps.iter().find(|tap| tap.track_id == Some(track.id()));
                let place = place.expect("a track of the last hello").id;
                self.count(kind.to_owned(), place, number("seq"), number("dropped"));
                let highest = value["max_left"].as_array().expect("buckets").iter().map(level);
                self.hear_waveform(track, place, number("sample_position"), highest.fold(0.0, f64::max));
            }
            _ => panic!("{value}"),
        }
    }

    fn hear_binary(&mut self, header: &Header, payload: &[u8], world: &World) {
        let topic = Topic::from_id(header.topic).expect("a topic");
        if topic != Topic::Axis {
            self.count(topic.name().to_owned(), header.tap, header.seq.into(), header.dropped.into());
        }
        match decode_payload(header, payload).expect("a payload") {
            Payload::Meters(meters) => {
                let level = |block: &MeterBlock| f64::from(db_from_gain(block.peak[0]));
                let tracks = meters.taps.iter().filter(|(tap, _)| tap.track_index().is_some());
                let tracks: Vec<_> =
                    tracks.map(|(tap, block)| (self.track_at(tap.0), level(block))).collect();
                self.hear_tracks(&tracks);
                let (_, block) =
                    meters.taps.iter().find(|(tap, _)| *tap == TapId::MASTER).expect("the master");
                let is_snapshot = header.flags.contains(Flags::SNAPSHOT);
                self.hear_peak(header.sample_position, level(block), is_snapshot, world);
            }
            Payload::Waveform(waveform) => {
                let highest = waveform.samples.iter().copied().fold(0.0, f32::max);
                let track = self.track_at(header.tap);
                self.hear_waveform(track, header.tap, header.sample_position, highest.into());
            }
            _ => {}
        }
    }

    /// The taps are others. What waited for a slow client is gone with the old ones.
    fn hear_hello(&mut self, taps: Vec<Tap>) {
        self.taps = taps;
        self.meters = None;
    }

    fn track_at(&self, place: u16) -> Track {
        let tap = self.taps.iter().find(|tap| tap.id == place).expect("a tap of the last hello");
        Track::of(tap.track_id.expect("a track"))
    }

    /// A frame of meters has all tracks of the last hello, each as loud as it is.
    fn hear_tracks(&self, tracks: &[(Track, f64)]) {
        let expected: Vec<Track> = self.taps.iter().filter_map(|tap| tap.track_id).map(Track::of).collect();
        assert_eq!(
            tracks.iter().map(|(track, _)| *track).collect::<Vec<_>>(),
            expected,
            "client {}",
            self.id
        );
        for (track, peak) in tracks {
            let level = f64::from(db_from_gain(track.gain()));
            assert!((peak - level).abs() < 0.006, "client {}: {track:?}: {peak} dB, not {level}", self.id);
        }
    }

    fn hear_waveform(&mut self, track: Track, place: u16, position: u64, highest: f64) {
        assert!(self.asked.contains(&track), "client {} did not ask for {track:?}", self.id);
        // A stream that has just begun has buckets without a sample.
        let gain = f64::from(track.gain());
        assert!(highest == 0.0 || (highest - gain).abs() < 1e-4, "{track:?}: {highest}, not {gain}");
        if self.asked.last() == Some(&track) {
            self.newest_waveform = position;
            if self.places.last() != Some(&place) {
                self.places.push(place);
            }
        }
    }

    fn count(&mut self, topic: String, tap: u16, seq: u64, dropped: u64) {
        let last = self.seqs.insert((topic, tap), seq).unwrap_or(0);
        assert_eq!(seq, last + 1, "client {}", self.id);
        assert!(dropped == 0 || self.manner != Manner::Good, "client {} reads all at once", self.id);
        self.n_frames += 1;
        self.n_merged += dropped;
    }

    /// A frame of meters has the loudest sample since the one before it.
    fn hear_peak(&mut self, position: u64, peak: f64, is_snapshot: bool, world: &World) {
        self.newest = position;
        if is_snapshot {
            // It says what the next frame says too, or more, if another came between.
            if let Some((_, so_far)) = &mut self.meters {
                *so_far = so_far.max(peak);
            }
            return;
        }
        if self.manner == Manner::Good && self.ended.is_none() {
            assert_eq!(position, world.position, "client {} gets what is new at once", self.id);
        }
        if let Some((last, so_far)) = self.meters.replace((position, -120.0)) {
            let loudest = world.loudest(last, position);
            assert!(
                (so_far.max(peak) - loudest).abs() < 0.006,
                "client {}: {peak} and {so_far} dB in {last}…{position}, not {loudest}",
                self.id
            );
        }
    }
}
