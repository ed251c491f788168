//! What a mailbox holds, merges and hands out.

use engine_core::analysis::meter::MeterBlock;
use engine_core::protocol::json::TopicInfo;
use engine_core::protocol::{
    Audio, Frame, HEADER_LEN, Header, Meters, Payload, TriggerEvent, VERSION, decode_payload,
};
use engine_core::units::SampleRate;

use super::*;

pub(in super::super) fn mailbox(encoding: Encoding) -> Mailbox {
    let hello = Hello {
        version: VERSION,
        epoch: 9,
        sample_rate: 48_000,
        channels: 2,
        taps: Vec::new(),
        topics: TopicInfo::all(),
        limits: Limits::SERVER,
        server_time: 0.0,
    };
    Mailbox::new(1, encoding, Arc::new(hello), Arc::default(), Arc::new(|| 1e12))
}

pub(in super::super) fn meters(sample_position: u64, peak: f32) -> Arc<EncodedFrame> {
    let block = MeterBlock { peak: [peak; 2], ..MeterBlock::default() };
    let payload = Payload::Meters(Meters { taps: vec![(TapId::MASTER, block)], ..Meters::default() });
    let frame = Frame { tap: TapId::MASTER, flags: Flags::default(), sample_position, payload };
    Arc::new(EncodedFrame::new(frame, Arc::new(Directory::new(SampleRate::DEFAULT, None)), None))
}

#[test]
fn a_slow_client_gets_one_frame_with_the_highest_peak() {
    let mailbox = mailbox(Encoding::Json);
    assert!(mailbox.offer(&meters(1, 0.1)), "the first wakes the writer");
    assert!(!mailbox.offer(&meters(2, 1.0)), "the others find it awake");
    mailbox.offer(&meters(3, 0.2));
    let batch = mailbox.take();
    let [Outgoing::Text(text)] = &batch.messages[..] else { panic!("{batch:?}") };
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!((&json["dropped"], &json["seq"], &json["epoch"]), (&2.into(), &1.into(), &9.into()));
    assert_eq!((&json["sample_position"], &json["master"]["peak_left"]), (&3.into(), &0.0.into()));
    assert_eq!(mailbox.stats.frames_merged.load(Ordering::Relaxed), 2);
    mailbox.offer(&meters(4, 0.3));
    let Outgoing::Text(text) = &mailbox.take().messages[0] else { panic!("text") };
    assert!(text.contains(r#""seq":2,"epoch":9,"dropped":0"#), "{text}");
    assert!(mailbox.take().messages.is_empty());
}

fn sound_topic(sample_position: u64, payload: Payload) -> Arc<EncodedFrame> {
    let frame = Frame { tap: TapId::MASTER, flags: Flags::default(), sample_position, payload };
    Arc::new(EncodedFrame::new(frame, Arc::new(Directory::new(SampleRate::DEFAULT, None)), None))
}

/// 100 ms that end at the position, of its number.
fn audio(sample_position: u64) -> Arc<EncodedFrame> {
    let samples = vec![sample_position as f32 / 1e6; 9_600];
    sound_topic(sample_position, Payload::Audio(Audio { channels: 2, samples, ..Audio::default() }))
}

fn headers(batch: &Batch) -> Vec<Header> {
    let [Outgoing::Binary(bytes)] = &batch.messages[..] else { panic!("{batch:?}") };
    let (mut rest, mut headers) = (&bytes[..], Vec::new());
    while let Some((header, payload, after)) = Header::split(rest) {
        decode_payload(&header, payload).unwrap();
        headers.push(header);
        rest = after;
    }
    headers
}

#[test]
fn audio_is_never_merged_and_what_is_dropped_is_marked_and_counted() {
    let mailbox = mailbox(Encoding::Binary);
    for n in 1..=5 {
        mailbox.offer(&audio(n * 4_800));
    }
    let all = headers(&mailbox.take());
    assert_eq!(all.iter().map(|h| h.sample_position).collect::<Vec<_>>(), [1, 2, 3, 4, 5].map(|n| n * 4_800));
    assert!(all.iter().all(|h| h.flags == Flags::default() && h.dropped == 0));
    // 0.8 s while the client sleeps: the newest 0.5 s stay.
    for n in 6..=13 {
        mailbox.offer(&audio(n * 4_800));
    }
    let late = headers(&mailbox.take());
    assert_eq!(
        late.iter().map(|h| h.sample_position).collect::<Vec<_>>(),
        [9, 10, 11, 12, 13].map(|n| n * 4_800)
    );
    assert_eq!(late.iter().map(|h| h.dropped).collect::<Vec<_>>(), [3, 0, 0, 0, 0]);
    assert_eq!(late.iter().map(|h| h.flags.0).collect::<Vec<_>>(), [Flags::DISCONTINUITY.0, 0, 0, 0, 0]);
    assert_eq!(late.iter().map(|h| h.seq).collect::<Vec<_>>(), [6, 7, 8, 9, 10]);
    assert_eq!(mailbox.stats.frames_merged.load(Ordering::Relaxed), 3);
    // A new subscription begins anew.
    mailbox.forget(Selection { topic: Topic::Audio, tap: None, kind: None });
    mailbox.offer(&audio(20 * 4_800));
    assert_eq!(headers(&mailbox.take())[0].flags, Flags::default());
}

#[test]
fn triggers_wait_in_order_and_the_queue_is_bounded() {
    let mailbox = mailbox(Encoding::Binary);
    for n in 0..70 {
        mailbox.offer(&sound_topic(n, Payload::Trigger(TriggerEvent::default())));
    }
    let seen = headers(&mailbox.take());
    assert_eq!(seen.iter().map(|h| h.sample_position).collect::<Vec<_>>(), (0..64).collect::<Vec<_>>());
    mailbox.offer(&sound_topic(99, Payload::Trigger(TriggerEvent::default())));
    let next = headers(&mailbox.take());
    assert_eq!((next[0].sample_position, seen[0].dropped, next[0].seq), (99, 6, 65));
}

#[test]
fn control_goes_first_and_binary_frames_share_a_message() {
    let mailbox = mailbox(Encoding::Binary);
    mailbox.offer(&meters(1, 0.1));
    mailbox.post(&ServerMessage::Pong { t0: 1.0, t1: 2.0, t2: 3.0 });
    let batch = mailbox.take();
    assert_eq!(
        batch.messages[0],
        Outgoing::Text(String::from(r#"{"type":"pong","t0":1.0,"t1":2.0,"t2":3.0}"#))
    );
    let Outgoing::Binary(bytes) = &batch.messages[1] else { panic!("{batch:?}") };
    let (header, payload, rest) = Header::split(bytes).unwrap();
    assert_eq!((header.topic, bytes.len(), rest.len()), (2, HEADER_LEN + payload.len(), 0));
}

#[test]
fn new_taps_send_hello_and_drop_frames_of_the_old_ones() {
    let mailbox = mailbox(Encoding::Json);
    mailbox.offer(&meters(1, 0.1));
    mailbox.retap(&Directory::new(SampleRate::DEFAULT, None));
    let batch = mailbox.take();
    assert_eq!(batch.messages.len(), 1);
    let Outgoing::Text(text) = &batch.messages[0] else { panic!("{batch:?}") };
    assert!(text.starts_with(r#"{"type":"hello""#) && text.contains("master"), "{text}");
    // But a trigger that fired is told.
    mailbox.offer(&sound_topic(5, Payload::Trigger(TriggerEvent::default())));
    mailbox.retap(&Directory::new(SampleRate::DEFAULT, None));
    let batch = mailbox.take();
    let [_, Outgoing::Text(text)] = &batch.messages[..] else { panic!("{batch:?}") };
    assert!(text.starts_with(r#"{"type":"trigger""#) && text.contains(r#""sample_position":5"#), "{text}");
}

#[test]
fn a_reason_fits_into_a_close_frame() {
    let closing = Closing::new(4403, &"é".repeat(100));
    assert_eq!(closing.reason, "é".repeat(61));
    assert_eq!(Closing::new(1008, "short").reason, "short");
}

#[test]
fn who_never_reads_answers_is_closed() {
    let mailbox = mailbox(Encoding::Json);
    for _ in 0..=MAX_CONTROL {
        mailbox.post(&ServerMessage::Pong { t0: 0.0, t1: 0.0, t2: 0.0 });
    }
    assert_eq!(mailbox.take().closing, Some(Closing::UNREAD));
}
