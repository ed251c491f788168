//! Clients that write, and know what was acknowledged.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{Field, LIMIT};

/// Of the renames of one composition.
pub(crate) struct Written {
    url: String,
    acknowledged: u64,
    asked: u64,
    pub(crate) n_refused: u64,
    pub(crate) n_cut_off: u64,
}

/// Renames a composition of its own, and knows the last name that was acknowledged and the last that was asked for.
pub(crate) async fn write(field: Arc<Field>, http: Client, address: String, writer: u64) -> Written {
    let id = format!("00000000-0000-4000-8000-{writer:012x}");
    let url = format!("http://{address}/api/compositions");
    let body = json!({"id": id, "name": "0", "length": 960});
    let made = http.post(&url).json(&body).timeout(LIMIT).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let mut written =
        Written { url: format!("{url}/{id}"), acknowledged: 0, asked: 0, n_refused: 0, n_cut_off: 0 };
    while !field.is_over.load(Ordering::Relaxed) {
        written.asked += 1;
        let change = json!({"name": written.asked.to_string()});
        let request = http.request(Method::PATCH, &written.url).json(&change);
        let status = request.timeout(LIMIT).send().await.unwrap().status();
        match status.as_u16() {
            200 => written.acknowledged = written.asked,
            503 => written.n_refused += 1,
            // Cut off between relay and server: done or not.
            502 => written.n_cut_off += 1,
            _ => panic!("{status}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    written
}

impl Written {
    /// Whether what is there now is what was acknowledged, or one that was asked for later: a change that was cut
    /// off may have been stored or not.
    pub(crate) async fn is_there(&self, http: &Client) -> bool {
        let seen: Value = http.get(&self.url).timeout(LIMIT).send().await.unwrap().json().await.unwrap();
        let name: u64 = seen["name"].as_str().expect("a name").parse().unwrap();
        (self.acknowledged..=self.asked).contains(&name)
    }
}
