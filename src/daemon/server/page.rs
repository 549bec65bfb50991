//! The page: one file, no outside assets, and headers that hold it to that.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, header};
use sha2::{Digest, Sha256};

/// The page as it is sent.
const PAGE: &str = include_str!("page.html");

/// What the page may do, computed from the page itself: its own scripts and styles by their
/// digests, requests to where it came from, and nothing else. Foreign text that became a script
/// would not run.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    HeaderValue::from_str(&policy(PAGE)).expect("a policy is made of base64 and words of ours")
});

/// Answers with the page.
pub(super) async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
    ];
    (headers, PAGE).into_response()
}

/// Returns the policy of a page. Neither scripts nor styles in attributes are let through; its one
/// picture, the icon, stands in the page itself.
fn policy(page: &str) -> String {
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        digests(page, "script"),
        digests(page, "style"),
    )
}

/// Returns the digests of the inline elements of one name, or that there is none.
fn digests(page: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    let inner = page.split(&open).skip(1).filter_map(|rest| {
        let (_, text) = rest.split_once('>')?;
        Some(text.split_once(&close)?.0)
    });
    let digests: Vec<_> = inner
        .map(|text| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes()))))
        .collect();
    if digests.is_empty() { "'none'".to_owned() } else { digests.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_lets_in_what_the_page_holds_and_nothing_else() {
        let page = "<style>a{}</style><script>\n1\n</script><script type=\"module\">2</script>";
        let policy = policy(page);
        for text in ["\n1\n", "2"] {
            let digest = STANDARD.encode(Sha256::digest(text));
            assert!(policy.contains(&format!("'sha256-{digest}'")), "{policy}");
        }
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(digests("<p>plain</p>", "script"), "'none'");
    }

    #[test]
    fn the_page_is_one_block_of_style_and_one_of_script() {
        for element in ["style", "script"] {
            assert_eq!(digests(PAGE, element).matches("'sha256-").count(), 1, "{element}");
        }
        assert!(!PAGE.contains(" style=\"") && !PAGE.contains(" onclick="), "no attributes act");
    }

    #[test]
    fn the_page_asks_nobody_else_for_anything() {
        for outside in ["src=\"http", "href=\"http", "src='http", "url(http", "@import", "src=\"//"]
        {
            assert!(!PAGE.contains(outside), "the page holds `{outside}`");
        }
        assert!(!PAGE.contains('\r'), "browsers digest scripts after turning CRLF into LF");
    }
}
