//! The session against schedules of a network that does its worst.

#[path = "common/seeded.rs"]
mod seeded;

use antiphon_wasm::session::{
    Action, BACK_OFF_BASE_MS, BACK_OFF_MAX_MS, BUSY_MS, CLOCK_MS, CLOCK_PINGS, CONNECT_TIMEOUT_MS, DRIFT_MS,
    FIRST_PINGS, HEARTBEAT_MS, SETTLED_MS, Session, Status, StreamKey,
};
use engine_core::analysis::trigger::TriggerKind;
use engine_core::protocol::{ClientMessage, StreamOptions, Topic};
use seeded::Seeded;

fn session(seed: u64) -> Session<impl FnMut() -> f64> {
    let mut random = Seeded(seed);
    Session::new(move || random.next())
}

fn spectrum() -> StreamKey {
    (Topic::Spectrum, "master".to_owned())
}

fn subscribe(key: &StreamKey, fps: u16) -> Action {
    Action::Send(ClientMessage::Subscribe {
        topic: key.0,
        tap: Some(key.1.clone()),
        fps: Some(fps),
        options: StreamOptions::default(),
    })
}

fn unsubscribe(key: &StreamKey) -> Action {
    Action::Send(ClientMessage::Unsubscribe { topic: key.0, tap: Some(key.1.clone()), kind: None })
}

#[test]
fn streams_are_asked_for_at_hello_and_again_after_a_reconnection() {
    let mut session = session(1);
    assert_eq!(session.open(0.0), [Action::Connect]);
    assert!(session.subscribe(spectrum(), Some(60), StreamOptions::default()).is_empty());
    assert_eq!(session.status(), Status::Connecting);
    assert_eq!(session.hello(7, 10.0), [subscribe(&spectrum(), 60)]);
    assert_eq!(session.status(), Status::Live);
    assert_eq!(session.frame(spectrum(), 41), (true, vec![]));

    assert!(session.closed(1006, "", 20.0).is_empty());
    assert_eq!(session.status(), Status::Reconnecting);
    assert_eq!(session.loss().map(|loss| loss.code), Some("closed"));
    let wake = session.wake_at().unwrap();
    assert_eq!(session.tick(wake), [Action::Connect]);
    let resume = ClientMessage::Resume { epoch: 7, topics: [("spectrum".to_owned(), 41)].into() };
    assert_eq!(session.hello(8, wake + 1.0), [subscribe(&spectrum(), 60), Action::Send(resume)]);
    assert_eq!(session.loss(), None);
}

#[test]
fn changes_are_sent_at_once_while_live_and_only_when_they_are_changes() {
    let mut session = session(1);
    session.open(0.0);
    session.hello(1, 0.0);
    let subscribe_at = |fps| subscribe(&spectrum(), fps);
    let fence = Action::Send(ClientMessage::Ping { t0: -1.0 });
    assert_eq!(session.subscribe(spectrum(), Some(30), StreamOptions::default()), [subscribe_at(30), fence]);
    assert!(session.subscribe(spectrum(), Some(30), StreamOptions::default()).is_empty());
    assert_eq!(session.subscribe(spectrum(), Some(60), StreamOptions::default()), [subscribe_at(60)]);
    assert_eq!(session.unsubscribe(&spectrum(), None), [unsubscribe(&spectrum())]);
    assert!(session.unsubscribe(&spectrum(), None).is_empty());
}

#[test]
fn what_an_endpoint_sends_by_itself_is_declined_once() {
    let mut session = session(1);
    session.open(0.0);
    session.hello(1, 0.0);
    assert_eq!(session.frame(spectrum(), 1), (false, vec![unsubscribe(&spectrum())]));
    assert_eq!(session.frame(spectrum(), 2), (false, vec![]));
    session.subscribe(spectrum(), None, StreamOptions::default());
    session.pong(-1.0, 1.0);
    assert_eq!(session.frame(spectrum(), 3), (true, vec![]));
}

#[test]
fn a_trigger_that_an_endpoint_begins_makes_room_for_the_one_that_is_wanted() {
    let mut session = session(1);
    let trigger = (Topic::Trigger, "master".to_owned());
    session.subscribe(trigger.clone(), None, StreamOptions::default());
    session.open(0.0);
    let subscribed = Action::Send(ClientMessage::Subscribe {
        topic: Topic::Trigger,
        tap: Some(trigger.1.clone()),
        fps: None,
        options: StreamOptions::default(),
    });
    assert_eq!(session.hello(1, 0.0), [unsubscribe(&trigger), subscribed.clone()]);
    assert_eq!(session.hello(1, 1.0), [subscribed], "other taps: it goes on");
}

#[test]
fn a_tap_has_a_trigger_of_each_kind() {
    let mut session = session(1);
    let trigger = (Topic::Trigger, "master".to_owned());
    let of = |kind, seconds| StreamOptions { kind: Some(kind), seconds, ..StreamOptions::default() };
    let subscribed = |options: &StreamOptions| {
        let (topic, tap) = trigger.clone();
        Action::Send(ClientMessage::Subscribe { topic, tap: Some(tap), fps: None, options: options.clone() })
    };
    let (clip, silence) = (of(TriggerKind::Clip, None), of(TriggerKind::Silence, Some(2.0)));
    session.open(0.0);
    session.hello(1, 0.0);
    for options in [&clip, &silence] {
        assert_eq!(session.subscribe(trigger.clone(), None, options.clone()), [subscribed(options)]);
    }
    let longer = of(TriggerKind::Silence, Some(5.0));
    assert_eq!(session.subscribe(trigger.clone(), None, longer.clone()), [subscribed(&longer)]);
    assert_eq!(session.frame(trigger.clone(), 1), (true, vec![]));
    // Both are there again on another connection, whatever its endpoint began with.
    session.closed(1006, "", 1.0);
    session.nudge(1.0);
    let asked = session.hello(1, 2.0);
    let n_ends = asked.iter().take_while(|action| **action == unsubscribe(&trigger)).count();
    assert_eq!(asked[n_ends..n_ends + 2], [subscribed(&clip), subscribed(&longer)]);
    assert!(n_ends > 0 && !asked[n_ends..].contains(&unsubscribe(&trigger)), "{asked:?}");
    // Only one of them ends; the last one as on servers that know no kinds.
    let (topic, tap) = trigger.clone();
    let one = ClientMessage::Unsubscribe { topic, tap: Some(tap), kind: Some(TriggerKind::Silence) };
    assert_eq!(session.unsubscribe(&trigger, Some(TriggerKind::Silence)), [Action::Send(one)]);
    assert_eq!(session.unsubscribe(&trigger, Some(TriggerKind::Clip)), [unsubscribe(&trigger)]);
}

#[test]
fn a_server_that_never_says_hello_is_given_up() {
    let mut session = session(1);
    session.open(100.0);
    assert_eq!(session.wake_at(), Some(100.0 + CONNECT_TIMEOUT_MS));
    assert!(session.tick(100.0 + CONNECT_TIMEOUT_MS - 1.0).is_empty());
    assert_eq!(session.tick(100.0 + CONNECT_TIMEOUT_MS), [Action::Abandon]);
    assert_eq!(session.loss().map(|loss| loss.code), Some("timeout"));
}

#[test]
fn a_half_open_connection_is_noticed_and_a_quiet_one_is_not_dropped() {
    let mut session = session(1);
    session.open(0.0);
    session.hello(1, 0.0);
    let mut now = 0.0;
    for _ in 0..10 {
        now = session.wake_at().unwrap();
        assert_eq!(session.tick(now), [Action::Send(ClientMessage::Ping { t0: now })]);
        now += 30.0;
        session.heard(now); // the pong
    }
    let silent_since = now;
    now = session.wake_at().unwrap();
    session.tick(now);
    now = session.wake_at().unwrap();
    assert_eq!(session.tick(now), [Action::Abandon]);
    assert_eq!(now - silent_since, 2.0 * HEARTBEAT_MS);
    assert_eq!(session.loss().map(|loss| loss.code), Some("stale"));
}

#[test]
fn refusals_are_final_and_say_what_to_do() {
    let refusals = [(4401, "unauthorized"), (4403, "forbidden"), (1003, "protocol"), (1008, "protocol")];
    for (code, name) in refusals {
        let mut session = session(1);
        session.open(0.0);
        assert!(session.closed(code, "no", 1.0).is_empty());
        assert_eq!((session.status(), session.wake_at()), (Status::Failed, None));
        let loss = session.loss().unwrap();
        assert_eq!(loss.code, name);
        assert!(loss.message.ends_with(": no") && !loss.hint.is_empty());
        assert!(session.hello(1, 2.0).is_empty());
        assert!(session.nudge(3.0).is_empty());
    }
}

#[test]
fn other_closes_say_what_to_do_and_are_tried_again_after_a_while() {
    let closes = [
        (1001, "restarting", 0.0),
        (1013, "busy", BUSY_MS),
        (4408, "too-slow", 0.0),
        (4429, "too-many", BUSY_MS),
        (1011, "closed", 0.0),
    ];
    for (code, name, at_least) in closes {
        for was_live in [true, false] {
            let mut session = Session::new(|| 0.25);
            session.open(0.0);
            if was_live {
                session.hello(1, 0.0);
            }
            assert!(session.closed(code, "full", 1.0).is_empty());
            assert_eq!(session.status(), Status::Reconnecting);
            let loss = session.loss().unwrap();
            let expected = if code == 1011 && !was_live { "unreachable" } else { name };
            assert_eq!(loss.code, expected);
            assert!(loss.message.ends_with(": full") && !loss.hint.is_empty());
            assert_eq!(session.wake_at(), Some(1.0 + at_least + 0.25 * BACK_OFF_BASE_MS));
        }
    }
}

#[test]
fn the_clock_is_asked_quickly_at_first_then_now_and_then() {
    let mut session = session(1);
    session.keep_time();
    session.open(0.0);
    let ping = |t0| vec![Action::Send(ClientMessage::Ping { t0 })];
    let mut now = 5.0;
    assert_eq!(session.hello(1, now), ping(now));
    for _ in 1..FIRST_PINGS {
        now += 20.0;
        assert_eq!(session.pong(now, now), ping(now));
    }
    for n_pongs in FIRST_PINGS..CLOCK_PINGS + 3 {
        now += 20.0;
        session.heard(now);
        assert!(session.pong(now, now).is_empty());
        assert!(session.pong(now, now).is_empty(), "a second one starts no second row");
        let wait = if n_pongs < CLOCK_PINGS { CLOCK_MS } else { DRIFT_MS };
        assert_eq!(session.wake_at(), Some(now + wait));
        now += wait;
        assert_eq!(session.tick(now), ping(now));
    }
    // No answer: the heartbeat takes over, and the connection is stale as any other.
    now = session.wake_at().unwrap();
    assert_eq!(session.tick(now), ping(now));
    now = session.wake_at().unwrap();
    assert_eq!(session.tick(now), [Action::Abandon]);
}

#[test]
fn waits_double_up_to_the_bound_with_full_jitter() {
    let mut sums = [0.0; 8];
    let n = 400;
    for seed in 0..n {
        let mut session = session(seed);
        let mut now = 0.0;
        session.open(now);
        for (idx, sum) in sums.iter_mut().enumerate() {
            session.closed(1006, "", now);
            let wait = session.wake_at().unwrap() - now;
            let bound = (BACK_OFF_BASE_MS * f64::from(1 << idx)).min(BACK_OFF_MAX_MS);
            assert!((0.0..bound).contains(&wait), "wait {idx} of seed {seed}: {wait}");
            *sum += wait / bound;
            now += wait;
            assert_eq!(session.tick(now), [Action::Connect]);
        }
    }
    for sum in sums {
        let mean = sum / n as f64;
        assert!((0.45..0.55).contains(&mean), "not uniform: mean {mean}");
    }
}

#[test]
fn a_server_that_accepts_and_closes_is_not_hammered_but_a_settled_one_is_forgiven() {
    let mut session = Session::new(|| 1.0);
    session.open(0.0);
    let mut now = 0.0;
    for bound in [500.0, 1000.0, 2000.0] {
        session.hello(1, now);
        session.closed(1011, "", now + 5.0);
        assert_eq!(session.wake_at(), Some(now + 5.0 + bound));
        now = session.wake_at().unwrap();
        session.tick(now);
    }
    session.hello(1, now);
    session.closed(1001, "going away", now + SETTLED_MS);
    assert_eq!(session.wake_at(), Some(now + SETTLED_MS + BACK_OFF_BASE_MS));
    assert_eq!(session.nudge(now + SETTLED_MS + 1.0), [Action::Connect]);
}

#[test]
fn closing_is_the_end_whatever_comes_after() {
    let mut session = session(1);
    session.open(0.0);
    session.hello(1, 0.0);
    assert_eq!(session.close(), [Action::Abandon]);
    session.closed(1000, "", 1.0);
    assert!(session.hello(1, 2.0).is_empty());
    assert!(session.subscribe(spectrum(), None, StreamOptions::default()).is_empty());
    assert_eq!((session.status(), session.wake_at()), (Status::Closed, None));
}

/// Any order of events: never two sockets, never a message without a live one, always a way forward.
#[test]
fn no_schedule_breaks_the_invariants() {
    for seed in 0..2_000 {
        let mut random = Seeded(seed + 77);
        let mut session = session(seed);
        let mut now = 0.0;
        let mut has_socket = false;
        let mut has_hello = false;
        let mut actions = session.open(now);
        for _ in 0..60 {
            for action in actions.drain(..) {
                match action {
                    Action::Connect => {
                        assert!(!has_socket, "seed {seed}: two sockets");
                        (has_socket, has_hello) = (true, false);
                    }
                    Action::Send(_) => assert!(has_socket && has_hello, "seed {seed}: sent before hello"),
                    Action::Abandon => {
                        assert!(has_socket, "seed {seed}");
                        has_socket = false;
                    }
                }
            }
            assert!(session.wake_at().is_some(), "seed {seed}: stuck");
            now += random.next() * 4_000.0;
            actions = match (random.next() * 8.0) as u32 {
                0 if has_socket => {
                    has_socket = false;
                    session.closed(1006, "", now)
                }
                1 | 2 if has_socket => {
                    has_hello = true;
                    session.hello(1, now)
                }
                3 if has_hello && has_socket => {
                    session.heard(now);
                    session.frame(spectrum(), 1).1
                }
                4 => session.subscribe(spectrum(), Some(60), StreamOptions::default()),
                5 => session.unsubscribe(&spectrum(), None),
                6 => session.nudge(now),
                _ => session.tick(now),
            };
        }
    }
}

#[test]
fn frames_of_other_options_that_were_under_way_are_kept_away() {
    let mut session = session(1);
    session.open(0.0);
    let wide = StreamOptions { wide: Some(true), ..StreamOptions::default() };
    session.subscribe(spectrum(), None, wide.clone());
    session.subscribe((Topic::Transport, "master".to_owned()), None, StreamOptions::default());
    let fence = |t0| Action::Send(ClientMessage::Ping { t0 });
    let said = session.hello(1, 0.0);
    assert_eq!(said[2..], [fence(-1.0)], "after both subscriptions");
    // The endpoint began by itself, with its default options.
    assert_eq!(session.frame(spectrum(), 1), (false, vec![]));
    assert_eq!(session.frame((Topic::Transport, "master".to_owned()), 1), (true, vec![]));
    assert!(session.pong(-1.0, 1.0).is_empty());
    assert_eq!(session.frame(spectrum(), 2), (true, vec![]));

    // Another rate is the same picture; other options, or a stream that is begun again, are not.
    assert_eq!(session.subscribe(spectrum(), Some(60), wide.clone()).len(), 1);
    assert_eq!(session.frame(spectrum(), 3), (true, vec![]));
    assert_eq!(session.subscribe(spectrum(), Some(60), StreamOptions::default())[1..], [fence(-2.0)]);
    assert_eq!(session.subscribe(spectrum(), Some(60), wide)[1..], [fence(-3.0)]);
    session.pong(-2.0, 1.0);
    assert_eq!(session.frame(spectrum(), 4), (false, vec![]), "of the options in between");
    session.pong(-3.0, 1.0);
    assert_eq!(session.frame(spectrum(), 5), (true, vec![]));
    session.unsubscribe(&spectrum(), None);
    assert_eq!(session.subscribe(spectrum(), None, StreamOptions::default())[1..], [fence(-4.0)]);
    // A connection that is lost takes its ping along.
    session.closed(1006, "", 10.0);
    session.tick(session.wake_at().unwrap());
    session.hello(2, 1e4);
    assert_eq!(session.frame(spectrum(), 1), (true, vec![]));
}

#[test]
fn a_hello_that_cannot_be_read_is_final() {
    let mut session = session(1);
    session.open(0.0);
    assert_eq!(session.misread("taps[1].track_id: no UUID"), [Action::Abandon]);
    assert_eq!((session.status(), session.wake_at()), (Status::Failed, None));
    let loss = session.loss().unwrap();
    assert_eq!(loss.code, "protocol");
    assert!(loss.message.ends_with(": taps[1].track_id: no UUID") && !loss.hint.is_empty());
}
