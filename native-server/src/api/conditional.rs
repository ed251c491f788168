//! `If-None-Match`: who has what a read would answer with is told so instead (RFC 9110, section 13.1.2).

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// Answers 304 to a read of what the client has.
pub(super) async fn not_modified(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = Vec::from_iter(request.headers().get_all(IF_NONE_MATCH).iter().cloned());
    let mut response = next.run(request).await;
    if is_api {
        // A browser would ask by itself with a tag of the server before, which counted from one too.
        response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    let is_known = |tag: &HeaderValue| known.iter().any(|known| names(known, tag));
    if is_read && response.status() == StatusCode::OK && response.headers().get(ETAG).is_some_and(is_known) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

/// Whether a list of tags, or the star, names this one. Weak ones do, too. None of ours has a comma in it.
fn names(list: &HeaderValue, tag: &HeaderValue) -> bool {
    fn strong(tag: &[u8]) -> &[u8] {
        tag.strip_prefix(b"W/").unwrap_or(tag)
    }
    let mut tags = list.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    tags.any(|known| known == b"*" || strong(known) == strong(tag.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_as_they_are_written() {
        let tag = HeaderValue::from_static("\"3\"");
        let names = |list: &'static str| names(&HeaderValue::from_static(list), &tag);
        assert!(
            names("\"3\"")
                && names("W/\"3\"")
                && names("\"1\",\"3\"")
                && names("\"1\", W/\"3\"")
                && names("*")
        );
        assert!(!(names("\"03\"") || names("3") || names("\"1\", \"2\"") || names("") || names("w/\"3\"")));
    }
}
