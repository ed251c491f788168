//! Who may use the server: pages, names, tokens.

use native_server::api::AccessRules;
use native_server::server::Config;
use reqwest::{Method, Response};
use tokio_tungstenite::tungstenite::Error;

use crate::common::{JSON, TestServer, config, problem, start, start_with};

async fn get(server: &TestServer, headers: &[(&str, &str)]) -> Response {
    let request = server.request(Method::GET, "/api/info");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

#[tokio::test]
async fn other_pages_and_other_names_are_refused_with_the_flag_that_allows_them() {
    let server = start().await;
    let text = problem(get(&server, &[("origin", "https://elsewhere.example")]).await, 403).await;
    assert!(text["detail"].as_str().unwrap().contains("--allow-origin https://elsewhere.example"), "{text}");
    let text = problem(get(&server, &[("host", "rebound.example:8080")]).await, 403).await;
    assert!(text["detail"].as_str().unwrap().contains("--allow-host rebound.example"), "{text}");
    let own = server.url("");
    assert_eq!(get(&server, &[("origin", &own)]).await.status(), 200);
    let address = server.server.address();
    assert_eq!(get(&server, &[("host", &format!("localhost:{}", address.port()))]).await.status(), 200);
}

#[tokio::test]
async fn allowed_pages_get_cors_headers() {
    let origin = "https://studio.example";
    let access = AccessRules { origins: vec![origin.to_string()], ..AccessRules::default() };
    let server = start_with(Config { access, ..config() }).await;
    let answer = get(&server, &[("origin", origin)]).await;
    assert_eq!(answer.headers()["access-control-allow-origin"], origin);
    let preflight = server
        .request(Method::OPTIONS, "/api/playback/tempo")
        .header("origin", origin)
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "content-type")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), 200);
    assert!(preflight.headers()["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
    problem(get(&server, &[("origin", "https://elsewhere.example")]).await, 403).await;
}

#[tokio::test]
async fn a_token_is_needed_everywhere_but_for_health_and_the_page() {
    let access = AccessRules { token: Some(String::from("s3cret")), ..AccessRules::default() };
    let server = start_with(Config { access, ..config() }).await;
    let refused = get(&server, &[]).await;
    assert_eq!(refused.headers()["www-authenticate"], "Bearer");
    problem(refused, 401).await;
    problem(get(&server, &[("authorization", "Bearer wrong")]).await, 401).await;
    assert_eq!(get(&server, &[("authorization", "Bearer s3cret")]).await.status(), 200);
    problem(server.request(Method::GET, "/metrics").send().await.unwrap(), 401).await;
    for open in ["/api/health", "/"] {
        assert_eq!(server.request(Method::GET, open).send().await.unwrap().status(), 200);
    }
    match server.try_socket("/api/ws/meters", JSON).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 401),
        other => panic!("{:?}", other.map(|_| "accepted")),
    }
    let mut socket = server.socket("/api/ws/meters", &format!("{JSON}, antiphon.token.s3cret")).await;
    socket.hello().await;
}
