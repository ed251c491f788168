//! Recording below the network: an input whose every frame is known, and MIDI bytes.

use std::sync::Arc;
use std::time::Duration;

use engine_core::control::Command;
use engine_core::protocol::rest::{RecordRequest, RecordSource, TakeState};
use engine_core::units::SampleRate;
use native_server::audio::{
    AudioStats, DeviceChoice, EngineQueue, Keeper, Renderer, ToEngine, connect, open,
};
use native_server::midi_input::Keyboard;
use native_server::priority::Priority;
use native_server::publisher::{EngineState, Publisher};
use native_server::services::{
    CompositionStateService, Label, LivePlayer, PlaybackEngineService, Precondition, RecordingService,
    SampleService,
};
use native_server::store::{self, Database};
use uuid::Uuid;

use crate::common;

/// As many frames of the input: twenty seconds.
const N_INPUT: u32 = 960_000;

/// All of a server but the network.
struct Studio {
    compositions: Arc<CompositionStateService>,
    samples: Arc<SampleService>,
    playback: PlaybackEngineService,
    engine: Arc<EngineQueue>,
    publisher: Publisher,
    composition: Uuid,
    tracks: Vec<Uuid>,
    _keeper: Keeper,
}

/// The left channel of the input counts frames, in steps that 24 bits hold; the right one counts down.
async fn studio(latency: u32) -> Studio {
    let rate = SampleRate::DEFAULT;
    let (engine, ends, publisher_ends) = connect(rate.hz() as usize / 128 / 4);
    let (mut frames_tx, frames_rx) = rtrb::RingBuffer::new(2 * N_INPUT as usize);
    for i in 0..N_INPUT {
        let count = i as f32 / 8_388_608.0;
        frames_tx.push([count, -count]).unwrap();
    }
    let (engine, stats) = (Arc::new(engine), Arc::<AudioStats>::default());
    stats.round_trip.set(Duration::from_secs_f64(f64::from(latency) / rate.as_f64()));
    let mut renderer = Renderer::new(rate, ends, stats.clone());
    renderer.feed(frames_rx);
    let null = move || open(&DeviceChoice::Null, Some(rate));
    let keeper = Keeper::start(null().unwrap(), null, false, renderer).unwrap();
    let name = Box::new(|| String::from("test"));
    let publisher =
        Publisher::start(rate, publisher_ends, stats.clone(), Arc::default(), name, None, Priority::Normal)
            .unwrap();
    let stores = store::open(&Database::Memory).await.unwrap();
    let samples = Arc::new(SampleService::new(stores.samples, rate));
    let compositions = Arc::new(CompositionStateService::new(
        stores.compositions,
        samples.clone(),
        engine.clone(),
        publisher.clone(),
        rate,
    ));
    let composition = common::composition(vec![common::track("A", 60), common::track("B", 72)]);
    let tracks = composition.tracks.iter().map(|track| track.id).collect();
    let id = compositions.create(composition.into_spec(), Label::new("new")).await.unwrap().id();
    compositions.load(id, &Precondition::None, &[]).await.unwrap();
    let recording = RecordingService::new(
        compositions.clone(),
        samples.clone(),
        engine.clone(),
        publisher.clone(),
        stats,
        rate,
    );
    let playback =
        PlaybackEngineService::new(compositions.clone(), engine.clone(), publisher.clone(), recording);
    Studio { compositions, samples, playback, engine, publisher, composition: id, tracks, _keeper: keeper }
}

impl Studio {
    /// Waits for a state of the engine.
    async fn until(&self, what: &str, is_it: impl Fn(&EngineState) -> bool) -> EngineState {
        for _ in 0..20_000 {
            let state = self.publisher.state();
            if is_it(&state) {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{what} never happens");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_input_is_recorded_to_the_frame() {
    records_to_the_frame(0).await;
}

/// A cable from the output to the input: what is heard comes in so many frames later.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_played_to_the_sound_lies_where_it_was_heard() {
    records_to_the_frame(3_000).await;
}

async fn records_to_the_frame(latency: u32) {
    let studio = studio(latency).await;
    studio.playback.arm(Some(studio.tracks[1])).await.unwrap();
    // From a place that is on no tick, twice around a loop.
    studio
        .engine
        .send([ToEngine::Command(Command::SetLoop { enabled: true, start: 480, end: 1440 })])
        .unwrap();
    studio.engine.send([ToEngine::Command(Command::Locate { tick: 700.3 })]).unwrap();
    let request = RecordRequest { count_in_bars: 0, source: RecordSource::Input };
    studio.playback.record(request).await.unwrap();
    let first_pass = studio.until("it rolls", |state| state.transport.tick > 800.0).await;
    studio.until("the loop's end", |state| state.transport.tick < 700.0).await;
    let second_pass =
        studio.until("the second pass", |state| (800.0..1300.0).contains(&state.transport.tick)).await;
    studio.playback.command(Command::Pause).await.unwrap();

    let take = studio.playback.last_take();
    assert_eq!((take.state, take.clip_ids.len()), (TakeState::Kept, 2), "{take:?}");
    let stored = studio.compositions.get(studio.composition).await.unwrap();
    let clips = &stored.composition.tracks[1].audio_clips;
    assert_eq!(clips.iter().map(|clip| clip.id).collect::<Vec<_>>(), take.clip_ids);
    assert_eq!(clips.iter().map(|clip| clip.start).collect::<Vec<_>>(), [701, 480]);
    assert_eq!(clips[0].sample, clips[1].sample);
    // Half a second from the first tick that is recorded whole to the loop's end: 739 ticks of 25 frames.
    assert!((clips[0].length_seconds * 48_000.0 - 739.0 * 25.0).abs() < 0.01, "{}", clips[0].length_seconds);

    let file = studio.samples.file(clips[0].sample).await.unwrap();
    assert_eq!(studio.samples.info(clips[0].sample).await.unwrap().name, "Recording of B");
    let mut wav = hound::WavReader::new(&file[..]).unwrap();
    let samples = Vec::from_iter(wav.samples::<i32>().map(Result::unwrap));
    let counts = Vec::from_iter(samples.chunks(2).map(|frame| {
        assert_eq!(frame[0], -frame[1]);
        frame[0]
    }));
    assert!(counts.windows(2).all(|pair| pair[1] == pair[0] + 1), "no frame is missing, none is there twice");

    // The input's n-th frame came in at engine frame n, and was played to what the engine had rendered `latency` frames
    // before: a clip's frame is where the transport was then.
    for (clip, pass) in clips.iter().zip([first_pass, second_pass]) {
        let ticks = pass.transport.tick - f64::from(clip.start);
        let expected = pass.sample_position as f64 - ticks * 25.0 + f64::from(latency);
        let frame = clip.offset_seconds * 48_000.0;
        let found = f64::from(counts[frame.round() as usize]);
        assert!((found - expected).abs() <= 1.0, "tick {} lies at {found}, not {expected}", clip.start);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_plays_the_armed_track_and_lets_go_when_it_is_pulled_out() {
    let studio = studio(0).await;
    let player = LivePlayer::new(studio.engine.clone(), studio.publisher.clone());
    let mut keyboard = Keyboard::new(player, studio.publisher.clone());
    let held = |state: &EngineState| {
        let notes = &state.transport.active_notes[..state.transport.n_active_notes];
        let mut notes = Vec::from_iter(notes.iter().map(|note| (note.track, note.pitch, note.velocity)));
        notes.sort_unstable();
        notes
    };
    // Nothing is armed: nothing is heard.
    keyboard.hear(&[0x90, 40, 100]);
    studio.playback.arm(Some(studio.tracks[0])).await.unwrap();
    keyboard.hear(&[0x95, 60, 100, 64, 0x40]);
    studio.until("two notes", |state| held(state) == [(0, 60, 100), (0, 64, 64)]).await;
    studio.playback.arm(Some(studio.tracks[1])).await.unwrap();
    keyboard.hear(&[0x90, 67, 90]);
    studio.until("one on the other track", |state| held(state).last() == Some(&(1, 67, 90))).await;
    keyboard.hear(&[0x80, 60, 0]);
    studio.until("60 ends where it began", |state| held(state) == [(0, 64, 64), (1, 67, 90)]).await;

    // Recorded with its wheels.
    let request = RecordRequest { count_in_bars: 0, ..RecordRequest::default() };
    studio.playback.record(request).await.unwrap();
    keyboard.hear(&[0xb0, 64, 127, 0xe0, 0, 0x60, 0x90, 50, 80]);
    let is_down = |state: &EngineState| held(state).iter().any(|note| note.1 == 50);
    studio.until("50", is_down).await;
    keyboard.hear(&[50, 0, 0xb0, 64, 0]);
    studio.until("50 ends", |state| !is_down(state)).await;
    studio.playback.command(Command::Stop).await.unwrap();
    let stored = studio.compositions.get(studio.composition).await.unwrap();
    let clip = stored.composition.tracks[1].clips.last().unwrap();
    assert_eq!(studio.playback.last_take().clip_ids, [clip.id]);
    assert_eq!(clip.notes.iter().map(|note| (note.pitch, note.velocity)).collect::<Vec<_>>(), [(50, 80)]);
    let controls =
        Vec::from_iter(clip.controls.iter().map(|control| (format!("{:?}", control.kind), control.value)));
    let expected = [("PitchBend", 1.0), ("Sustain", 1.0), ("Sustain", 0.0)];
    assert_eq!(controls, expected.map(|(kind, value)| (kind.to_string(), value)));

    keyboard.hear(&[0x90, 70, 1]);
    studio.until("70", |state| held(state).iter().any(|note| note.1 == 70)).await;
    drop(keyboard);
    studio.until("silence", |state| held(state).is_empty()).await;
}
