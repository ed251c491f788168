//! The server is killed in the middle of a storm of writes, again and again: every change that it acknowledged is
//! there when it starts again, at most one change more for each writer, and the file is sound.
//!
//! SIGKILL shows that nothing is acknowledged before it is committed. That a commit is on the disk is the
//! databases' own promise (`synchronous = FULL`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::child::Server;
use crate::dice::Dice;
use crate::postgres::Postgres;

/// Clients that write at once, each a composition of its own.
const WRITERS: u64 = 8;
/// What one waits for happens within milliseconds; this only turns a hang into a failure.
const LIMIT: Duration = Duration::from_secs(20);

/// What a composition must look like: its names, step by step, and the one in force.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    id: String,
    /// 0 until it is known where it begins, which depends on what others removed.
    revision: u64,
    names: Vec<String>,
    current: usize,
}

impl Model {
    fn new(writer: u64, round: u64) -> Self {
        // A version 4 UUID that nobody else has.
        let id = format!("00000000-0000-4000-8000-{:012x}", (round << 8) | writer);
        Self { id, revision: 0, names: vec![String::from("new")], current: 0 }
    }

    fn path(&self) -> String {
        format!("/api/compositions/{}", self.id)
    }

    fn renamed(&self, name: String) -> Self {
        let mut next = self.clone();
        next.revision += 1;
        next.names.truncate(self.current + 1);
        next.names.push(name);
        next.current += 1;
        // As many as a history keeps.
        while next.names.len() > 100 {
            next.names.remove(0);
            next.current -= 1;
        }
        next
    }

    fn moved(&self, current: usize) -> Self {
        Self { current, revision: self.revision + 1, ..self.clone() }
    }
}

/// One client's knowledge: what was acknowledged, and what it asked for last. `None`: there is no composition.
#[derive(Clone, Debug, Default)]
struct Knowledge {
    acknowledged: Option<Model>,
    pending: Option<Option<Model>>,
}

struct Storm {
    http: Client,
    server: String,
    n_acknowledged: AtomicU64,
    enough: u64,
    is_enough: Notify,
}

impl Storm {
    /// Writes until the server is gone.
    async fn write(&self, writer: u64, round: u64, mut dice: Dice, mut knows: Knowledge) -> Knowledge {
        for n in 0.. {
            let (request, mut next) = match &knows.acknowledged {
                None => {
                    let model = Model::new(writer, round << 16 | n);
                    let body = json!({"id": model.id, "name": "new", "length": 960});
                    (self.request(Method::POST, "/api/compositions").json(&body), Some(model))
                }
                Some(model) => {
                    let undo = (model.current > 0).then(|| model.current - 1);
                    let redo = (model.current + 1 < model.names.len()).then_some(model.current + 1);
                    match (dice.below(20), undo, redo) {
                        (0, ..) => (self.request(Method::DELETE, &model.path()), None),
                        (1..6, Some(to), _) => {
                            let request = self.request(Method::POST, &format!("{}/undo", model.path()));
                            (request, Some(model.moved(to)))
                        }
                        (6..9, _, Some(to)) => {
                            let request = self.request(Method::POST, &format!("{}/redo", model.path()));
                            (request, Some(model.moved(to)))
                        }
                        _ => {
                            let name = format!("{round}.{writer}.{n}");
                            let request =
                                self.request(Method::PATCH, &model.path()).json(&json!({"name": name}));
                            (request, Some(model.renamed(name)))
                        }
                    }
                }
            };
            knows.pending = Some(next.clone());
            match request.send().await {
                Ok(answer) => {
                    let is_right = answer.status().is_success();
                    assert!(is_right, "{}: {:?}", answer.status(), answer.text().await);
                    if let Some(model) = next.as_mut().filter(|model| model.revision == 0) {
                        model.revision = revision_of(&answer);
                    }
                }
                // Killed: this one was not acknowledged.
                Err(_) => return knows,
            }
            knows = Knowledge { acknowledged: next, pending: None };
            if self.n_acknowledged.fetch_add(1, Ordering::Relaxed) + 1 == self.enough {
                self.is_enough.notify_one();
            }
        }
        knows
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.server)).timeout(LIMIT)
    }
}

/// What the server says of a composition, without walking through its history.
#[derive(Debug, PartialEq)]
struct Seen {
    revision: u64,
    name: String,
    n_steps: usize,
    current: usize,
}

impl From<&Model> for Seen {
    fn from(model: &Model) -> Self {
        let (n_steps, current) = (model.names.len(), model.current);
        Self { revision: model.revision, name: model.names[current].clone(), n_steps, current }
    }
}

fn revision_of(answer: &Response) -> u64 {
    answer.headers()["etag"].to_str().unwrap().trim_matches('"').rsplit_once('-').unwrap().1.parse().unwrap()
}

async fn seen(http: &Client, server: &Server, id: &str) -> Option<Seen> {
    let path = server.url(&format!("/api/compositions/{id}"));
    let answer = http.get(&path).timeout(LIMIT).send().await.unwrap();
    if answer.status() == StatusCode::NOT_FOUND {
        return None;
    }
    let revision = revision_of(&answer);
    let name = answer.json::<Value>().await.unwrap()["name"].as_str().unwrap().to_string();
    let history = http.get(format!("{path}/history?limit=200")).timeout(LIMIT).send().await.unwrap();
    let history: Value = history.json().await.unwrap();
    let steps = history["items"].as_array().unwrap();
    let current = steps.iter().rev().position(|step| step["current"] == true).expect("a step in force");
    Some(Seen { revision, name, n_steps: steps.len(), current })
}

/// Checks what is there against what the clients know, and returns the knowledge of the next round.
async fn check(http: &Client, server: &Server, all: Vec<Knowledge>) -> Vec<Knowledge> {
    let mut checked = Vec::new();
    for knows in all {
        let Knowledge { acknowledged, pending } = knows;
        let of_pending = pending.as_ref().and_then(|pending| pending.as_ref());
        let Some(id) = acknowledged.as_ref().or(of_pending).map(|model| model.id.clone()) else {
            checked.push(Knowledge::default());
            continue;
        };
        let seen = seen(http, server, &id).await;
        let acknowledged = if seen == acknowledged.as_ref().map(Seen::from) {
            acknowledged
        } else {
            let Some(mut pending) = pending else { panic!("lost: {seen:?} is not {acknowledged:?}") };
            if let (Some(model), Some(seen)) = (pending.as_mut().filter(|model| model.revision == 0), &seen) {
                model.revision = seen.revision;
            }
            let expected = pending.as_ref().map(Seen::from);
            assert_eq!(seen, expected, "lost: neither that nor {acknowledged:?}");
            pending
        };
        checked.push(Knowledge { acknowledged, pending: None });
    }
    checked
}

/// Every state that the histories hold, by undoing all and redoing all.
async fn walk(http: &Client, server: &Server, all: &[Knowledge]) -> usize {
    let mut n_states = 0;
    for model in all.iter().filter_map(|knows| knows.acknowledged.as_ref()) {
        let step = async |direction: &str| {
            let path = server.url(&format!("{}/{direction}", model.path()));
            let answer = http.post(path).timeout(LIMIT).send().await.unwrap();
            let is_end = answer.status() == StatusCode::CONFLICT;
            let body: Value = answer.json().await.unwrap();
            (!is_end).then(|| body["name"].as_str().unwrap().to_string())
        };
        while step("undo").await.is_some() {}
        let mut names = vec![model.names[0].clone()];
        while let Some(name) = step("redo").await {
            names.push(name);
        }
        assert_eq!(names, model.names, "{}", model.id);
        n_states += names.len();
    }
    n_states
}

/// Kills a server `rounds` times; `inspect` looks at the database while nobody has it open.
async fn storms(database: &str, rounds: u64, inspect: impl AsyncFn()) {
    let http = Client::new();
    let mut dice = Dice(5);
    let mut all = vec![Knowledge::default(); WRITERS as usize];
    let (mut n_acknowledged, mut n_unknown) = (0, 0);
    for round in 0..rounds {
        let server = Server::start(&["--db", database, "--no-play"]);
        all = check(&http, &server, all).await;
        let storm = Arc::new(Storm {
            http: http.clone(),
            server: server.address.clone(),
            n_acknowledged: AtomicU64::new(0),
            enough: 1 + dice.below(60),
            is_enough: Notify::new(),
        });
        let writers = (0..).zip(all).map(|(writer, knows)| {
            let (storm, dice) = (storm.clone(), Dice(dice.below(u64::MAX)));
            tokio::spawn(async move { storm.write(writer, round, dice, knows).await })
        });
        let writers = writers.collect::<Vec<_>>();
        tokio::time::timeout(LIMIT, storm.is_enough.notified()).await.expect("enough writes in time");
        // Somewhere in the next commits.
        tokio::time::sleep(Duration::from_micros(dice.below(5000))).await;
        server.kill();
        all = Vec::new();
        for writer in writers {
            all.push(writer.await.unwrap());
        }
        n_acknowledged += storm.n_acknowledged.load(Ordering::Relaxed);
        n_unknown += all.iter().filter(|knows| knows.pending.is_some()).count();
        inspect().await;
    }
    let server = Server::start(&["--db", database, "--no-play"]);
    all = check(&http, &server, all).await;
    let n_states = walk(&http, &server, &all).await;
    println!(
        "{rounds} kills, {n_acknowledged} changes acknowledged, {n_unknown} cut off, {n_states} states found"
    );
    assert!(n_acknowledged > rounds && n_unknown as u64 > rounds, "{n_acknowledged} {n_unknown}");
}

#[tokio::test]
async fn a_file_survives_fifty_kills() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_string();
    storms(&path("antiphon.db"), 50, async || {
        // A copy, so that it is the server itself that finds the file as the kill left it.
        for end in ["", "-wal"] {
            std::fs::copy(path(&format!("antiphon.db{end}")), path(&format!("copy.db{end}"))).unwrap();
        }
        sqlx::any::install_default_drivers();
        let pool = sqlx::AnyPool::connect(&format!("sqlite://{}", path("copy.db"))).await.unwrap();
        let row = sqlx::query("PRAGMA integrity_check").fetch_one(&pool).await.unwrap();
        assert_eq!(sqlx::Row::get::<String, _>(&row, 0), "ok");
        let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&pool).await.unwrap();
        assert!(broken.is_empty(), "{} broken references", broken.len());
        pool.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_postgresql_database_survives_kills() {
    let postgres = Postgres::start();
    storms(&postgres.database("storm"), 5, async || {}).await;
}
