//! What a server counts.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use reqwest::RequestBuilder;

/// A figure of `/metrics`, which `request` asks for.
pub async fn metric(request: RequestBuilder, name: &str) -> f64 {
    let text = request.send().await.expect("an answer").text().await.expect("text");
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.rsplit(' ').next().and_then(|figure| figure.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}
