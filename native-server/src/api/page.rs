//! The page: embedded in the binary, or read from a directory while it is being worked on.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use super::no_such_call;
use super::problem::ApiError;

/// What was in `www/dist` when the server was compiled.
#[derive(Embed)]
#[folder = "../www/dist"]
#[allow_missing = true]
struct Built;

/// Shown by a server that was compiled before the page.
const NOT_BUILT: &str = include_str!("not_built.html");

/// The page loads nothing from elsewhere and runs no script but its own; wasm needs a word of its own, and
/// component libraries set style attributes.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
                      frame-ancestors 'self'";

/// Where the page comes from.
#[derive(Clone, Debug, Default)]
pub struct Page {
    directory: Option<Arc<Path>>,
}

impl Page {
    /// The embedded page, or the files of a directory, read anew for each request.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self { directory: directory.map(Arc::from) }
    }

    async fn read(&self, path: &str) -> Option<File> {
        match &self.directory {
            None => Built::get(path).map(File::from),
            Some(directory) => {
                let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
                if !is_inside {
                    return None;
                }
                let content = tokio::fs::read(directory.join(path)).await.ok()?;
                let content_type = mime_guess::from_path(path).first_or_octet_stream().to_string();
                Some(File { content: content.into(), content_type, etag: None })
            }
        }
    }
}

struct File {
    content: Cow<'static, [u8]>,
    content_type: String,
    etag: Option<String>,
}

impl From<EmbeddedFile> for File {
    fn from(file: EmbeddedFile) -> Self {
        let hash = file.metadata.sha256_hash();
        let etag: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            content_type: file.metadata.mimetype().to_string(),
            etag: Some(format!("\"{etag}\"")),
            content: file.data,
        }
    }
}

/// Serves whatever is not the API: a file, or the page itself for an address inside it.
pub(super) async fn serve(State(page): State<Page>, request: Request) -> Response {
    // A call that is written wrongly is no address of the page.
    let first = request.uri().path().split('/').find(|part| !part.is_empty());
    if matches!(first, Some("api" | "metrics")) {
        return no_such_call(request).await.into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return ApiError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "the page can only be read",
        )
        .with_header(ALLOW, HeaderValue::from_static("GET, HEAD"))
        .into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let name = if is_file { path } else { "index.html" };
    match page.read(name).await {
        Some(file) => answer(name, file),
        None if is_file => (StatusCode::NOT_FOUND, "there is no such file\n").into_response(),
        None => ([(CONTENT_TYPE, "text/html; charset=utf-8")], NOT_BUILT).into_response(),
    }
}

fn answer(name: &str, file: File) -> Response {
    let etag = file.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok());
    let mut response = file.content.into_owned().into_response();
    let headers = response.headers_mut();
    let is_text = file.content_type.starts_with("text/");
    let content_type = if is_text { file.content_type + "; charset=utf-8" } else { file.content_type };
    if let Ok(content_type) = HeaderValue::from_str(&content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Names in assets/ hold a hash of the content; everything else is asked for anew, and mostly answered 304.
    let is_hashed = name.starts_with("assets/") && etag.is_some();
    let caching = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Some(etag) = etag {
        headers.insert(ETAG, etag);
    }
    response
}
