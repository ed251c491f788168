//! Requests of clients through NATS to the server's own router, and its answers back: every status, header and ETag is
//! the server's.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    AUTHORIZATION, CONNECTION, EXPECT, HOST, ORIGIN, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, oneshot};
use tower::ServiceExt;

use super::bus::Bus;
use super::line::{Broken, Line, Said};
use crate::api::ApiError;

/// What is between a client and its relay only.
const NOT_PASSED_ON: [HeaderName; 11] = [
    AUTHORIZATION,
    CONNECTION,
    EXPECT,
    HOST,
    ORIGIN,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// A request's line and headers.
#[derive(Debug, Serialize, Deserialize)]
struct RequestHead {
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
}

/// An answer's status and headers.
#[derive(Debug, Serialize, Deserialize)]
struct AnswerHead {
    status: u16,
    headers: Vec<(String, String)>,
}

fn list(headers: &HeaderMap) -> Vec<(String, String)> {
    let passed_on = headers.iter().filter(|(name, _)| !NOT_PASSED_ON.contains(name));
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.to_string(), value.to_str().ok()?.to_string()))
    };
    passed_on.filter_map(text).collect()
}

fn headers(list: &[(String, String)]) -> HeaderMap {
    let parse = |(name, value): &(String, String)| {
        let name = HeaderName::try_from(name).ok().filter(|name| !NOT_PASSED_ON.contains(name))?;
        Some((name, HeaderValue::try_from(value).ok()?))
    };
    list.iter().filter_map(parse).collect()
}

/// Has the server answer a request.
///
/// # Errors
/// The server or NATS is away (503), or went away amid the request (502).
pub(super) async fn forward(bus: &Bus, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let uri = parts.uri.path_and_query().map_or("/", |both| both.as_str()).to_string();
    let head = RequestHead { method: parts.method.to_string(), uri, headers: list(&parts.headers) };
    let head = serde_json::to_vec(&head).unwrap_or_default();
    if head.len() + 64 > bus.max_payload() {
        let detail = "the headers are longer than NATS takes; raise its max_payload";
        return Err(ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too-large", detail));
    }
    let away = |why: &str| ApiError::away(format!("{why} at {}; try again", bus.shown()));
    let Some((mut line, answer_body)) = Line::new(bus, None).await else { return Err(away("NATS is away")) };
    line.send(body);
    let opened = bus.publish(&bus.subject("rest"), Some(line.own()), Line::head(&head)).await;
    opened.map_err(|_| away("NATS is away"))?;
    let (answered, answer) = oneshot::channel();
    tokio::spawn(carry(line, answered));
    let broken = match answer.await {
        Ok(Ok(head)) => match serde_json::from_slice::<AnswerHead>(&head) {
            Ok(head) => {
                let mut response = Response::new(answer_body);
                *response.status_mut() = StatusCode::from_u16(head.status).unwrap_or(StatusCode::BAD_GATEWAY);
                *response.headers_mut() = headers(&head.headers);
                return Ok(response);
            }
            Err(error) => Broken { is_undone: false, why: error.to_string() },
        },
        Ok(Err(broken)) => broken,
        Err(_) => Broken { is_undone: false, why: String::from("the relay is ending") },
    };
    Err(if broken.is_undone {
        away(&broken.why)
    } else {
        let detail = format!("no answer came ({}); the server may have done what was asked", broken.why);
        ApiError::new(StatusCode::BAD_GATEWAY, "no-answer", detail)
    })
}

/// Moves a request and its answer, until the answer is whole or the client gone.
async fn carry(mut line: Line, answered: oneshot::Sender<Result<Bytes, Broken>>) {
    let mut answered = Some(answered);
    loop {
        let said = tokio::select! {
            said = line.next() => said,
            () = hung_up(&mut answered) => return line.abort("the client is gone").await,
        };
        match (said, answered.take()) {
            (None, waiting) => answered = waiting,
            (Some(Said::Head(head)), Some(waiting)) => _ = waiting.send(Ok(head)),
            (Some(Said::Head(_)), None) => {}
            (Some(Said::End), _) => return,
            (Some(Said::Broken(broken)), Some(waiting)) => {
                let _ = waiting.send(Err(broken));
                return;
            }
            (Some(Said::Broken(broken)), None) => {
                // Whichever end broke: the server shall not go on for nobody, nor the client wait for ever.
                line.abort(&broken.why).await;
                return line.cut(broken.why).await;
            }
        }
    }
}

async fn hung_up(answered: &mut Option<oneshot::Sender<Result<Bytes, Broken>>>) {
    match answered {
        Some(waiting) => waiting.closed().await,
        None => std::future::pending().await,
    }
}

/// Answers a request of a relay.
pub(super) async fn answer(bus: &Bus, calls: &Router, opening: &Bytes, answers: &str, places: &Semaphore) {
    let Some((mut line, body)) = Line::new(bus, Some(answers.to_string())).await else { return };
    line.greet();
    let head = Line::read_head(opening).and_then(|head| serde_json::from_slice::<RequestHead>(&head).ok());
    let Some(head) = head else { return line.abort("this is not a request").await };
    let mut request = Request::new(body);
    match (head.method.parse(), head.uri.parse()) {
        (Ok(method), Ok(uri)) => (*request.method_mut(), *request.uri_mut()) = (method, uri),
        _ => return line.abort("the request has no method or no address").await,
    }
    *request.headers_mut() = headers(&head.headers);
    let place = places.try_acquire();
    let mut call = Box::pin(async {
        match place {
            Ok(_) => calls.clone().oneshot(request).await.unwrap_or_else(|never| match never {}),
            Err(_) => {
                use axum::response::IntoResponse;
                ApiError::unavailable("too many requests of relays run; try again").into_response()
            }
        }
    });
    let mut is_answered = false;
    loop {
        tokio::select! {
            response = &mut call, if !is_answered => {
                is_answered = true;
                let (parts, body): (_, Body) = response.into_parts();
                let head = AnswerHead { status: parts.status.as_u16(), headers: list(&parts.headers) };
                line.say(&serde_json::to_vec(&head).unwrap_or_default(), body);
            }
            said = line.next() => match said {
                // All is said.
                None if is_answered => return,
                Some(Said::Broken(broken)) => {
                    line.abort(&broken.why).await;
                    return line.cut(broken.why).await;
                }
                _ => {}
            },
        }
    }
}
