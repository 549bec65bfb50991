//! stub
use serde_json::{Value, json};
/// x
pub fn openapi() -> Value {
    json!({})
}
