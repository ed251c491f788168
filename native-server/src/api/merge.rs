//! Merge patches (RFC 7396), for every PATCH.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::extract::from_value;
use crate::services::ServiceError;

/// A value with a patch applied to it.
///
/// # Errors
/// The result is of another shape; the field is named.
pub(super) fn merged<T: Serialize + DeserializeOwned>(value: &T, patch: Value) -> Result<T, ServiceError> {
    let value = merged_value(value, patch)?;
    from_value(value).map_err(|error| ServiceError::Invalid(error.into_problem().errors))
}

/// The same, as JSON.
///
/// # Errors
/// The value cannot be expressed in JSON.
pub(super) fn merged_value(value: &impl Serialize, patch: Value) -> Result<Value, ServiceError> {
    let value = serde_json::to_value(value);
    let mut value = value.map_err(|error| ServiceError::invalid("", error.to_string()))?;
    merge(&mut value, patch);
    Ok(value)
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merge_patch_follows_the_examples_of_its_rfc() {
        // RFC 7396, appendix A: original, patch, result.
        for (mut original, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            merge(&mut original, patch);
            assert_eq!(original, result);
        }
    }
}
