//! What goes away and comes back: the sound card, NATS, the database. One after the other, again and again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use tokio::task::block_in_place;
use tokio::time::{sleep, timeout};

use crate::child::Server;
use crate::metrics::metric;
use crate::nats::Nats;
use crate::postgres::Postgres;
use crate::process::waited_for_cpu;
use crate::pulse::Pulse;
use crate::{Field, LIMIT};

/// Between two faults, and the time for which NATS and the database are away.
const PAUSE: Duration = Duration::from_secs(3);
const AWAY: Duration = Duration::from_secs(1);
const NULL_DEVICE: &str = "the null device";

/// What was done, and what came of it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) n_losses: u32,
    pub(crate) n_nats: u32,
    pub(crate) n_database: u32,
    /// While no card came or went.
    pub(crate) n_xruns: f64,
    /// Time for which the threads that make the sound were kept from the processor meanwhile.
    pub(crate) waited: Duration,
    /// For how long that was watched.
    pub(crate) watched: Duration,
}

pub(crate) struct Machine {
    pub(crate) field: Arc<Field>,
    pub(crate) http: Client,
    pub(crate) server: Arc<Server>,
    pub(crate) pulse: Pulse,
    pub(crate) nats: Nats,
    pub(crate) postgres: Postgres,
}

impl Machine {
    /// Breaks one thing after the other until all is over; in the end everything is there.
    pub(crate) async fn run(mut self) -> (Faults, Self) {
        let mut faults = Faults::default();
        while !self.field.is_over.load(Ordering::Relaxed) {
            // The null device's clock is the machine's own: a gap is then ours, where a sound system has its own.
            block_in_place(|| self.pulse.stop());
            sleep(PAUSE).await;
            // What was being opened when the card went may come first.
            while self.device().await != NULL_DEVICE {
                sleep(PAUSE).await;
            }
            faults.n_losses += 1;
            self.watch(&mut faults).await;
            block_in_place(|| self.pulse.resume());
            let back = async {
                while self.device().await == NULL_DEVICE {
                    sleep(Duration::from_millis(100)).await;
                }
            };
            timeout(LIMIT, back).await.expect("the card plays again in time");
        }
        (faults, self)
    }

    /// NATS and the database go while the same device plays on.
    async fn watch(&mut self, faults: &mut Faults) {
        let (start, xruns, waits) = (tokio::time::Instant::now(), self.xruns().await, self.waits());
        sleep(PAUSE).await;
        block_in_place(|| self.nats.stop());
        sleep(AWAY).await;
        block_in_place(|| self.nats.resume());
        faults.n_nats += 1;
        sleep(PAUSE).await;
        block_in_place(|| self.postgres.stop());
        sleep(AWAY).await;
        block_in_place(|| self.postgres.resume());
        faults.n_database += 1;
        sleep(PAUSE).await;
        faults.n_xruns += self.xruns().await - xruns;
        let waited = self.waits().into_iter().zip(waits).map(|(after, before)| after - before);
        faults.waited += waited.max().unwrap_or_default();
        faults.watched += start.elapsed();
    }

    async fn xruns(&self) -> f64 {
        metric(self.http.get(self.server.url("/metrics")).timeout(LIMIT), "antiphon_audio_xruns_total").await
    }

    /// Of the threads that play and measure.
    fn waits(&self) -> [Duration; 2] {
        ["null-audio", "publisher"].map(|thread| waited_for_cpu(self.server.id(), thread))
    }

    /// What plays now.
    async fn device(&self) -> String {
        let answer = self.http.get(self.server.url("/api/info")).timeout(LIMIT).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["device"].as_str().unwrap().to_string()
    }
}
