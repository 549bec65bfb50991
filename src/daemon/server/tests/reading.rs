//! Health, status, the page, and who may see them.

use http::{Method, StatusCode};
use std::time::Duration;

use axum::body::Body;

use super::stage::{self, Stage, TOKEN, ask, get, request};

#[tokio::test(start_paused = true)]
async fn it_lives_as_long_as_every_loop_turns() {
    let stage = Stage::new(&["blog", "shop"]);
    for path in ["/livez", "/healthz"] {
        assert_eq!(get(&stage.public, path).await.status, StatusCode::OK);
    }
    tokio::time::sleep(Duration::from_secs(61)).await;
    stage.pulses["blog"].beat(stage.clock.now());
    let answered = get(&stage.public, "/livez").await;
    assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answered.text, "the loop of project `shop` has been silent for 61 s\n");
    stage.pulses["shop"].beat(stage.clock.now());
    assert_eq!(get(&stage.public, "/livez").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn it_is_ready_when_every_project_was_looked_at_once_however_that_went() {
    let stage = Stage::new(&["blog", "shop"]);
    let looked_at = |name: &str| {
        let mut status = stage::status(name);
        status.history = vec![stage::pass("Failed", Duration::from_secs(1))].into();
        stage.seats[name].show(status);
    };
    looked_at("shop");
    let answered = get(&stage.public, "/readyz").await;
    assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answered.text, "project `blog` has not finished its first pass\n");
    looked_at("blog");
    assert_eq!(get(&stage.public, "/readyz").await.status, StatusCode::OK);
    assert_eq!(get(&stage.local, "/readyz").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn the_status_is_told_of_all_projects_or_of_one() {
    let stage = Stage::new(&["shop", "blog"]);
    for router in [&stage.public, &stage.local] {
        let all = get(router, "/api/status").await.json();
        assert_eq!(all["formatVersion"], "1.0");
        assert_eq!(all["projects"][0]["name"], "blog");
        assert_eq!(all["projects"][1]["name"], "shop");
        let one = get(router, "/api/status?project=shop").await.json();
        assert_eq!(one["projects"].as_array().unwrap().len(), 1);
        let none = get(router, "/api/status?project=..%2Fshop").await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
        assert_eq!(none.json()["error"]["code"], "unknown_project");
        let odd = get(router, "/api/events?format=xml").await;
        assert_eq!(odd.status, StatusCode::BAD_REQUEST);
        assert_eq!(odd.json()["error"]["code"], "bad_query");
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_guards_everything_but_health_and_webhooks() {
    let stage = Stage::new(&["shop"]);
    for path in ["/", "/metrics", "/api/status", "/api/events", "/api/events?format=json"] {
        let answered = get(&stage.guarded, path).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answered.header("www-authenticate"), "Basic realm=\"stoker\"");
        assert!(!answered.text.contains(TOKEN) && !answered.text.contains("api.example"));
        let bearer = format!("Bearer {TOKEN}");
        // Behind a proxy the name is another; the token is what counts.
        let headers = [("authorization", bearer.as_str()), ("host", "stoker.acme.dev")];
        let shown = request(Method::GET, path, &headers, Body::empty());
        assert_eq!(stage::send(&stage.guarded, shown).await.status(), StatusCode::OK, "{path}");
    }
    assert_eq!(get(&stage.guarded, "/livez").await.status, StatusCode::OK);
    assert_eq!(get(&stage.guarded, "/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let hook = stage::post(&stage.guarded, "/webhook", "{}").await;
    assert_eq!(hook.json()["error"]["message"], "the webhook is not signed as expected");
}

#[tokio::test(start_paused = true)]
async fn a_page_of_somebody_else_that_resolves_to_this_machine_reads_nothing() {
    let stage = Stage::new(&["shop"]);
    for path in ["/", "/metrics", "/api/status", "/api/events"] {
        let headers = [("host", "rebound.evil.example:9464")];
        let answered =
            ask(&stage.public, request(Method::GET, path, &headers, Body::empty())).await;
        assert_eq!(answered.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
        assert!(!answered.text.contains("api.example"), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_tells_browsers_to_make_nothing_else_of_it() {
    let stage = Stage::new(&["shop"]);
    for path in ["/", "/livez", "/metrics", "/api/status", "/nowhere", "/webhook"] {
        for router in [&stage.public, &stage.guarded] {
            let answered = get(router, path).await;
            assert_eq!(answered.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answered.header("x-frame-options"), "DENY", "{path}");
            assert_eq!(answered.header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(answered.header("cache-control"), "no-store", "{path}");
            assert_eq!(answered.header("access-control-allow-origin"), "", "{path}");
        }
    }
    let page = get(&stage.public, "/").await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(policy.contains("connect-src 'self'"), "{policy}");
    assert!(page.text.starts_with("<!doctype html>"), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn nothing_on_the_network_writes() {
    let stage = Stage::new(&["shop"]);
    for order in ["reconcile", "suspend", "resume", "pin", "unpin"] {
        let path = format!("/api/orders/{order}");
        for router in [&stage.public, &stage.guarded] {
            assert_eq!(stage::post(router, &path, "{}").await.status, StatusCode::NOT_FOUND);
        }
    }
    for path in ["/", "/api/status", "/api/events", "/metrics", "/livez"] {
        let answered = stage::post(&stage.public, path, "{}").await;
        assert_eq!(answered.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    assert_eq!(stage.rung("shop"), []);
}
