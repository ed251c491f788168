//! Lists, a page at a time.

use engine_core::protocol::rest::FieldError;
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::ApiError;

/// Longest page of a list.
const MAX_LIMIT: usize = 200;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// At most so many, 1 to 200; 50 when absent.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl Paging {
    /// How many.
    ///
    /// # Errors
    /// Out of range.
    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        let limit = self.limit.unwrap_or(50);
        if (1..=MAX_LIMIT).contains(&limit) {
            return Ok(limit);
        }
        Err(refused("limit", format!("{limit} is not between 1 and {MAX_LIMIT}")))
    }

    /// Where it begins.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// A page of a list that is at hand, and the cursor of the next one.
    ///
    /// # Errors
    /// A limit out of range, or a cursor that no page had.
    pub(super) fn page<T>(
        &self,
        items: impl Iterator<Item = T>,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let limit = self.limit()?;
        let cursor = self.cursor.as_deref().unwrap_or("0");
        let start: usize = cursor
            .parse()
            .map_err(|_| refused("cursor", format!("{cursor:?} is not a cursor of an earlier page")))?;
        let mut rest = items.skip(start);
        let page = rest.by_ref().take(limit).collect();
        let next_cursor = rest.next().map(|_| (start + limit).to_string());
        Ok((page, next_cursor))
    }
}

fn refused(field: &str, message: String) -> ApiError {
    ApiError::invalid(vec![FieldError { field: field.to_string(), message }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_to_the_end() {
        let page = |limit, cursor: Option<&str>| {
            Paging { limit, cursor: cursor.map(String::from) }
                .page(0..5)
                .map_err(|error| error.into_problem())
        };
        assert_eq!(page(Some(2), None), Ok((vec![0, 1], Some(String::from("2")))));
        assert_eq!(page(Some(3), Some("2")), Ok((vec![2, 3, 4], None)));
        assert_eq!(page(None, Some("99")), Ok((vec![], None)));
        for (limit, cursor) in [(Some(0), None), (Some(201), None), (None, Some("-1"))] {
            assert!(page(limit, cursor).is_err(), "{limit:?} {cursor:?}");
        }
    }
}
