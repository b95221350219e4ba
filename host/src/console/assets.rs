//! The files that pages refer to, from within the program. Their addresses carry their version, so browsers may keep them for good.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// A file and its kind.
struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
}

/// The library that swaps parts of pages (host/assets/NOTICE.md).
pub const HTMX: &str = "htmx-2.0.11.min.js";
/// Its part for events from the server.
pub const EVENTS: &str = "htmx-ext-sse-2.2.4.min.js";
const SHEET: &str = include_str!("../../assets/console.css");
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The sheet's name changes with what it says.
pub fn sheet() -> &'static str {
    static NAME: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    NAME.get_or_init(|| {
        let digest = super::secrets::digest(SHEET);
        format!("console-{}.css", digest.get(..12).unwrap_or_default())
    })
}

fn find(name: &str) -> Option<Asset> {
    let known = [
        Asset {
            name: HTMX,
            kind: SCRIPT,
            content: include_str!("../../assets/htmx-2.0.11.min.js"),
        },
        Asset {
            name: EVENTS,
            kind: SCRIPT,
            content: include_str!("../../assets/htmx-ext-sse-2.2.4.min.js"),
        },
        Asset {
            name: sheet(),
            kind: "text/css; charset=utf-8",
            content: SHEET,
        },
    ];
    known.into_iter().find(|asset| asset.name == name)
}

/// `GET /console/assets/{name}`
pub async fn serve(Path(name): Path<String>) -> Response {
    match find(&name) {
        Some(asset) => (
            [
                (header::CONTENT_TYPE, asset.kind),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ],
            asset.content,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
