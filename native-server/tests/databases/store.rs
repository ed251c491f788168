//! What every store promises, asked of all of them: memory, a SQLite file, a PostgreSQL server.

use std::sync::Arc;

use bytes::Bytes;
use engine_core::composition::{Clip, Composition, CompositionSpec, Instrument, Note, Track};
use engine_core::protocol::rest::SampleInfo;
use engine_core::time::TempoMap;
use native_server::store::{
    Change, CompositionStore, Database, Direction, Loaded, MAX_HISTORY_BYTES, MAX_STEPS, SampleStore,
    StoreError, Stores, open,
};
use uuid::Uuid;

use crate::postgres::Postgres;

type Store = Arc<dyn CompositionStore>;

fn composition(name: &str) -> Composition {
    let id = Uuid::new_v4();
    Composition::new(CompositionSpec { id, name: name.to_string(), ..CompositionSpec::default() }).unwrap()
}

fn named(of: &Composition, name: impl Into<String>) -> Composition {
    Composition::new(CompositionSpec { name: name.into(), ..of.clone().into_spec() }).unwrap()
}

fn change(label: &str, at: u64) -> Change {
    Change { label: label.to_string(), gesture: None, at }
}

fn drag(at: u64) -> Change {
    Change { gesture: Some(String::from("fader")), ..change("drag", at) }
}

/// Each part has a database of its own, in which revisions begin with 1.
async fn contract(fresh: impl AsyncFn() -> Stores) {
    revisions_and_order(&fresh().await.compositions).await;
    every_bit_comes_back(&fresh().await.compositions).await;
    undo_and_redo(&fresh().await.compositions).await;
    gestures(&fresh().await.compositions).await;
    history_is_bounded(&fresh().await.compositions).await;
    one_of_many_writers_wins(&fresh().await.compositions).await;
    a_crowd_is_no_outage(&fresh().await.compositions).await;
    revisions_of_one_id_never_come_again(&fresh().await.compositions).await;
    what_is_loaded(&fresh().await.compositions).await;
    files_in_order(&fresh().await.samples).await;
}

async fn files_in_order(store: &Arc<dyn SampleStore>) {
    let info = |name: &str, bytes| SampleInfo {
        id: Uuid::new_v4(),
        name: name.to_string(),
        media_type: String::from("audio/wav"),
        bytes,
        frames: 1,
        sample_rate: 48_000,
        channels: 1,
        seconds: 1.0 / 48_000.0,
        is_damaged: false,
    };
    let every_byte: Bytes = (0..=255).cycle().take(5 << 20).collect();
    let (a, b) = (info("a", 3), info("b \0", every_byte.len() as u32));
    assert_eq!(store.total_bytes().await, Ok(0));
    store.put(a.clone(), Bytes::from_static(b"abc")).await.unwrap();
    store.put(b.clone(), every_byte.clone()).await.unwrap();
    assert_eq!(store.total_bytes().await, Ok(3 + every_byte.len() as u64));
    let all = store.list(None, 9).await.unwrap();
    assert_eq!(all.iter().map(|stored| &stored.info).collect::<Vec<_>>(), [&a, &b]);
    assert_eq!(store.list(None, 1).await.unwrap(), all[..1]);
    assert_eq!(store.list(Some(all[0].position), 9).await.unwrap(), all[1..]);
    assert_eq!(store.list(Some(u64::MAX), 9).await, Ok(Vec::new()));
    assert_eq!(store.info(b.id).await, Ok(Some(b.clone())));
    assert_eq!(store.file(b.id).await, Ok(Some(every_byte)));
    assert_eq!((store.remove(a.id).await, store.remove(a.id).await), (Ok(true), Ok(false)));
    assert_eq!((store.info(a.id).await, store.file(a.id).await), (Ok(None), Ok(None)));
    assert_eq!(store.remove(b.id).await, Ok(true));
    assert_eq!(store.total_bytes().await, Ok(0));
}

async fn revisions_and_order(store: &Store) {
    let a = store.insert(composition("a"), change("created", 1)).await.unwrap();
    let b = store.insert(composition("b\0"), change("created\0", 1)).await.unwrap();
    assert_eq!((a.revision, b.revision, b.position > a.position), (1, 1, true));
    let exists = store.insert((*a.composition).clone(), change("created", 2)).await;
    assert_eq!(exists, Err(StoreError::Exists(a.id())));
    let a2 = store.replace(1, named(&a.composition, "a2"), change("renamed", 2)).await.unwrap();
    assert_eq!((a2.position, a2.revision), (a.position, 2));
    let stale = store.replace(1, named(&a.composition, "a3"), change("renamed", 2)).await;
    assert_eq!(stale, Err(StoreError::Stale(2)));
    assert_eq!(store.get(a.id()).await.unwrap(), a2, "what was refused changed nothing");

    let all = store.list(None, 10).await.unwrap();
    assert_eq!(all.iter().map(|listed| listed.id).collect::<Vec<_>>(), [a.id(), b.id()]);
    assert_eq!((&*all[0].name, all[0].n_tracks, all[0].seconds), ("a2", 0, 0.0));
    assert_eq!(store.list(None, 1).await.unwrap(), all[..1]);
    assert_eq!(store.list(Some(a.position), 10).await.unwrap(), all[1..]);
    assert_eq!(store.list(Some(u64::MAX), 10).await.unwrap(), []);

    assert_eq!(store.remove(b.id(), 2).await, Err(StoreError::Stale(1)));
    store.remove(b.id(), 1).await.unwrap();
    let nobody = Err(StoreError::NotFound(b.id()));
    assert_eq!(store.get(b.id()).await, nobody);
    assert_eq!(store.replace(1, (*b.composition).clone(), change("", 3)).await, nobody);
    assert_eq!(store.travel(b.id(), 1, Direction::Undo).await, nobody);
    assert_eq!(store.remove(b.id(), 1).await, Err(StoreError::NotFound(b.id())));
    assert_eq!(store.history(b.id(), None, 10).await, Err(StoreError::NotFound(b.id())));
    let c = store.insert((*b.composition).clone(), change("created", 4)).await.unwrap();
    assert!(c.position > b.position, "positions are not used twice");
    assert_eq!(c.revision, 2, "who knows the one that was removed does not know this one");
    store.remove(a.id(), 2).await.unwrap();
    store.remove(c.id(), 2).await.unwrap();
    let c = store.insert((*b.composition).clone(), change("created", 5)).await.unwrap();
    assert_eq!(c.revision, 3);
    store.remove(c.id(), 3).await.unwrap();
}

/// Numbers that decimal text cannot hold exactly, and text that SQL might take for its own.
async fn every_bit_comes_back(store: &Store) {
    let note = Note { pitch: 60, velocity: 100, start: 1, length: 2 };
    let track = Track {
        id: Uuid::new_v4(),
        gain_db: -0.1,
        pan: 1.0 / 3.0,
        clips: vec![Clip { id: Uuid::new_v4(), ..Clip::new(0, 960, vec![note]) }],
        ..Track::new("'; DROP TABLE steps; -- \u{1f3b9} \u{0} \\", Instrument::program(3))
    };
    let spec = CompositionSpec {
        id: Uuid::new_v4(),
        name: String::from("$1 ? % \" 'x' \u{feff}é"),
        // Read by a parser that rounds carelessly, this one comes back as its neighbour.
        tempo: TempoMap::constant(122.416_413_010_315_89).unwrap(),
        length: 960,
        tracks: vec![track],
        ..CompositionSpec::default()
    };
    let original = Composition::new(spec).unwrap();
    let stored = store.insert(original.clone(), change("created", 1)).await.unwrap();
    assert_eq!(*store.get(stored.id()).await.unwrap().composition, original);
    let listed = store.list(Some(stored.position - 1), 1).await.unwrap().remove(0);
    assert_eq!((listed.name.as_str(), listed.n_tracks), (&*original.name, 1));
    assert_eq!(listed.seconds, original.tempo.seconds_from_ticks(960.0));
    store.remove(stored.id(), 1).await.unwrap();
}

async fn undo_and_redo(store: &Store) {
    let first = store.insert(composition("1"), change("created", 1)).await.unwrap();
    let id = first.id();
    for name in ["2", "3"] {
        let revision = store.get(id).await.unwrap().revision;
        store.replace(revision, named(&first.composition, name), change(name, 2)).await.unwrap();
    }
    let name = async || store.get(id).await.unwrap().composition.name.clone();
    assert_eq!(store.travel(id, 2, Direction::Undo).await, Err(StoreError::Stale(3)));
    let undone = store.travel(id, 3, Direction::Undo).await.unwrap();
    assert_eq!(
        (undone.revision, &*undone.composition.name),
        (4, "2"),
        "an undo is a change: the ETag is new"
    );
    store.travel(id, 4, Direction::Undo).await.unwrap();
    assert_eq!(store.travel(id, 5, Direction::Undo).await, Err(StoreError::NoStep(Direction::Undo)));
    assert_eq!((name().await, store.get(id).await.unwrap().revision), (String::from("1"), 5));
    assert_eq!(store.list(Some(first.position - 1), 1).await.unwrap()[0].name, "1");
    store.travel(id, 5, Direction::Redo).await.unwrap();
    assert_eq!(name().await, "2");

    // A change in the middle forgets what could be redone.
    let branched = store.replace(6, named(&first.composition, "2b"), change("2b", 3)).await.unwrap();
    assert_eq!(store.travel(id, 7, Direction::Redo).await, Err(StoreError::NoStep(Direction::Redo)));
    let history = store.history(id, None, 10).await.unwrap();
    let labels = history.steps.iter().map(|step| step.change.label.as_str()).collect::<Vec<_>>();
    assert_eq!(labels, ["2b", "2", "created"]);
    let numbers = history.steps.iter().map(|step| step.number).collect::<Vec<_>>();
    assert!(numbers.is_sorted_by(|a, b| a > b), "{numbers:?}");
    assert_eq!((history.newest, history.oldest), (numbers[0], numbers[2]));
    assert_eq!(history.current, history.newest);
    assert_eq!(history.steps[0].change, change("2b", 3));
    let page = store.history(id, Some(numbers[0]), 1).await.unwrap();
    assert_eq!(page.steps, history.steps[1..2]);
    assert_eq!((page.current, page.oldest), (history.current, history.oldest));
    store.remove(id, branched.revision).await.unwrap();
}

async fn gestures(store: &Store) {
    let first = store.insert(composition("0"), change("created", 1)).await.unwrap();
    let id = first.id();
    for (revision, at) in [(1, 5000), (2, 5300), (3, 6300), (4, 7301)] {
        let next = named(&first.composition, at.to_string());
        assert_eq!(store.replace(revision, next, drag(at)).await.unwrap().revision, revision + 1);
    }
    // The first three are one step, the fourth came after a pause.
    assert_eq!(store.history(id, None, 10).await.unwrap().steps.len(), 3);
    let undone = store.travel(id, 5, Direction::Undo).await.unwrap();
    assert_eq!(undone.composition.name, "6300");
    // While something can be redone, a step that looks like the same gesture is a new one.
    let again = store.replace(6, named(&first.composition, "again"), drag(6400)).await.unwrap();
    assert_eq!(store.history(id, None, 10).await.unwrap().steps.len(), 3);
    let undone = store.travel(id, again.revision, Direction::Undo).await.unwrap();
    assert_eq!(undone.composition.name, "6300");
    store.remove(id, undone.revision).await.unwrap();
}

async fn history_is_bounded(store: &Store) {
    let first = store.insert(composition("0"), change("created", 1)).await.unwrap();
    let id = first.id();
    let mut revision = 1;
    for n in 1..=MAX_STEPS as u64 + 20 {
        let next = named(&first.composition, n.to_string());
        revision = store.replace(revision, next, change("", n)).await.unwrap().revision;
    }
    let history = store.history(id, None, 500).await.unwrap();
    assert_eq!(history.steps.len(), MAX_STEPS);
    for _ in 1..MAX_STEPS {
        revision = store.travel(id, revision, Direction::Undo).await.unwrap().revision;
    }
    assert_eq!(store.get(id).await.unwrap().composition.name, "21");
    assert_eq!(store.travel(id, revision, Direction::Undo).await, Err(StoreError::NoStep(Direction::Undo)));
    store.remove(id, revision).await.unwrap();

    // Large ones: 120,000 notes take more than a fifth of what a history may.
    let note = Note { pitch: 60, velocity: 100, start: 0, length: 960 };
    let clip = Clip { id: Uuid::new_v4(), ..Clip::new(0, 960, vec![note; 120_000]) };
    let track = Track { id: Uuid::new_v4(), clips: vec![clip], ..Track::new("t", Instrument::default()) };
    let spec = CompositionSpec { length: 960, tracks: vec![track], ..composition("0").into_spec() };
    let size = serde_json::to_string(&spec).unwrap().len() as u64;
    let n_fit = MAX_HISTORY_BYTES / size;
    assert!((2..8).contains(&n_fit), "{size}");
    let large = store.insert(Composition::new(spec).unwrap(), change("created", 1)).await.unwrap();
    let mut revision = large.revision;
    for n in 1..=n_fit + 1 {
        let next = named(&large.composition, n.to_string());
        revision = store.replace(revision, next, change("", n)).await.unwrap().revision;
    }
    assert_eq!(store.history(large.id(), None, 500).await.unwrap().steps.len() as u64, n_fit);
    store.remove(large.id(), revision).await.unwrap();
}

async fn one_of_many_writers_wins(store: &Store) {
    let first = store.insert(composition("0"), change("created", 1)).await.unwrap();
    let writers = (0..16).map(|n| {
        let (store, next) = (store.clone(), named(&first.composition, n.to_string()));
        tokio::spawn(async move { store.replace(1, next, change("", 1)).await })
    });
    let mut won = None;
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            Ok(stored) => assert!(won.replace(stored).is_none(), "two of them replaced the same revision"),
            Err(error) => assert_eq!(error, StoreError::Stale(2)),
        }
    }
    assert_eq!(store.get(first.id()).await.unwrap(), won.unwrap());
    store.remove(first.id(), 2).await.unwrap();
}

async fn a_crowd_is_no_outage(store: &Store) {
    let calls = (0..300).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let stored = store.insert(composition(&n.to_string()), change("created", 1)).await.unwrap();
            assert_eq!(store.get(stored.id()).await.unwrap(), stored);
            store.remove(stored.id(), stored.revision).await.unwrap();
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert!(store.is_available());
}

/// Whoever makes and removes it, and whatever others do meanwhile.
async fn revisions_of_one_id_never_come_again(store: &Store) {
    let one = composition("one");
    let calls = (0..8).map(|_| {
        let (store, one) = (store.clone(), one.clone());
        tokio::spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..20 {
                let other = store.insert(composition("another"), change("", 1)).await.unwrap();
                match store.insert(one.clone(), change("", 1)).await {
                    Ok(stored) => {
                        seen.push(stored.revision);
                        store.remove(one.id, stored.revision).await.unwrap();
                    }
                    Err(error) => assert_eq!(error, StoreError::Exists(one.id)),
                }
                store.remove(other.id(), other.revision).await.unwrap();
            }
            seen
        })
    });
    let mut seen = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        seen.extend(call.await.unwrap());
    }
    let n_seen = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert!(n_seen > 0 && seen.len() == n_seen, "{n_seen} and {seen:?}");
}

async fn what_is_loaded(store: &Store) {
    assert_eq!(store.loaded().await, Ok(Loaded::Never));
    let a = store.insert(composition("a"), change("", 1)).await.unwrap();
    let b = store.insert(composition("b"), change("", 1)).await.unwrap();
    let nobody = Uuid::new_v4();
    assert_eq!(store.set_loaded(nobody).await, Err(StoreError::NotFound(nobody)));
    for id in [a.id(), b.id(), b.id()] {
        store.set_loaded(id).await.unwrap();
        assert_eq!(store.loaded().await, Ok(Loaded::Composition(id)));
    }
    store.remove(a.id(), 1).await.unwrap();
    assert_eq!(store.loaded().await, Ok(Loaded::Composition(b.id())));
    store.remove(b.id(), 1).await.unwrap();
    assert_eq!(store.loaded().await, Ok(Loaded::Nothing));
}

/// All that a store says of a composition, and what is loaded.
async fn all_of(store: &Store, id: Uuid) -> impl PartialEq + std::fmt::Debug + use<> {
    let (stored, history) = (store.get(id).await.unwrap(), store.history(id, None, 200).await.unwrap());
    (stored, history, store.list(None, 200).await.unwrap(), store.loaded().await.unwrap())
}

async fn is_there_again(database: &Database) {
    let store = open(database).await.unwrap().compositions;
    let a = store.insert(composition("1"), change("created", 1)).await.unwrap();
    for n in 1..4 {
        store.replace(n, named(&a.composition, n.to_string()), change("", n)).await.unwrap();
    }
    store.travel(a.id(), 4, Direction::Undo).await.unwrap();
    store.set_loaded(a.id()).await.unwrap();
    let before = all_of(&store, a.id()).await;
    store.close().await;
    drop(store);
    let store = open(database).await.unwrap().compositions;
    assert_eq!(all_of(&store, a.id()).await, before);
    let redone = store.travel(a.id(), 5, Direction::Redo).await.unwrap();
    assert_eq!(redone.composition.name, "3");
    store.remove(a.id(), 6).await.unwrap();
    store.close().await;
    drop(store);
    let store = open(database).await.unwrap().compositions;
    let again = store.insert((*a.composition).clone(), change("created", 5)).await.unwrap();
    assert_eq!(again.revision, 7, "revisions of what was removed are kept");
    store.close().await;
}

#[tokio::test]
async fn memory() {
    contract(async || open(&Database::Memory).await.unwrap()).await;
}

#[tokio::test]
async fn a_sqlite_file() {
    let home = tempfile::tempdir().unwrap();
    let fresh = async || open(&Database::File(home.path().join(format!("{}.db", Uuid::new_v4())))).await;
    contract(async || fresh().await.unwrap()).await;
    // A folder that does not exist is made, and no character of a path means something else.
    let odd = Database::File(home.path().join("new/50 % of #1?.db"));
    is_there_again(&odd).await;
    assert!(home.path().join("new/50 % of #1?.db").exists());

    let broken = home.path().join("broken.db");
    std::fs::write(&broken, "This is a text, and not a database. ".repeat(100)).unwrap();
    let newer = home.path().join("newer.db");
    open(&Database::File(newer.clone())).await.unwrap().compositions.close().await;
    let pool = sqlx::AnyPool::connect(&format!("sqlite://{}", newer.display())).await.unwrap();
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                  VALUES (999, 'later', TRUE, x'00', 1)";
    sqlx::query(insert).execute(&pool).await.unwrap();
    pool.close().await;
    for (path, hint) in [(broken, "not a database"), (newer, "another version"), (home.path().into(), "open")]
    {
        let refused = open(&Database::File(path.clone())).await.err().expect("refused").to_string();
        assert!(refused.contains(hint) && refused.contains("--db"), "{refused}");
        assert!(refused.contains(path.to_str().unwrap()), "{refused}");
    }
}

#[tokio::test]
async fn a_postgresql_server() {
    let postgres = Postgres::start();
    let fresh =
        async || open(&Database::Postgres(postgres.database(&format!("c{}", Uuid::new_v4().simple())))).await;
    contract(async || fresh().await.unwrap()).await;
    is_there_again(&Database::Postgres(postgres.database("again"))).await;
    for url in ["postgres://me:s3cret@127.0.0.1:1/nothing", "postgres://me:s3cret@/x?host=/no/such/folder"] {
        let refused = open(&Database::Postgres(url.to_string())).await.err().expect("refused").to_string();
        assert!(refused.contains("--db") && !refused.contains("s3cret"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_reached_through_tls() {
    let signed = || rcgen::generate_simple_self_signed([String::from("localhost")]).unwrap();
    let (own, other) = (signed(), signed());
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (trusted, stranger) = (file("own.pem", own.cert.pem()), file("other.pem", other.cert.pem()));
    let postgres = Postgres::start_tls(&own.cert.pem(), &own.signing_key.serialize_pem());
    let url = postgres.database("far");
    let open = async |options: &str| open(&Database::Postgres(format!("{url}?{options}"))).await;

    // `require` asks for secrecy alone: the certificate is not looked at.
    for options in ["sslmode=require", &format!("sslmode=verify-full&sslrootcert={trusted}")] {
        let Stores { compositions, .. } = open(options).await.unwrap();
        let made = compositions.insert(composition("secret"), change("created", 1)).await.unwrap();
        assert_eq!(compositions.get(made.id()).await.unwrap(), made);
    }
    let refusal = async |options: &str| open(options).await.err().expect("refused").to_string();
    let wrong = refusal(&format!("sslmode=verify-full&sslrootcert={stranger}")).await;
    assert!(wrong.contains("certificate") && wrong.contains("sslrootcert="), "{wrong}");
    let unknown = refusal("sslmode=verify-full").await;
    assert!(unknown.contains("certificate") && unknown.contains("sslrootcert="), "{unknown}");
    let empty = file("empty.pem", String::from("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"));
    let broken = refusal(&format!("sslmode=verify-full&sslrootcert={empty}")).await;
    assert!(broken.contains("sslrootcert="), "{broken}");
    let plain = refusal("sslmode=disable").await;
    assert!(plain.contains("no encryption"), "{plain}");
}
