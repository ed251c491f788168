//! Lists, a page at a time.

use std::ops::Range;

use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

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
        Err(ApiError::invalid_field("limit", format!("{limit} is not between 1 and {MAX_LIMIT}")))
    }

    /// Where it begins.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Where a page lies in a list that is at hand, of things with these ids, and the cursor of the next one. A
    /// cursor holds the last id and where it was: what comes and goes meanwhile moves no page, and if the last one
    /// itself has gone, what took its place is next.
    ///
    /// # Errors
    /// A limit out of range, or a cursor that no page had.
    pub(super) fn range(&self, ids: &[Uuid]) -> Result<(Range<usize>, Option<String>), ApiError> {
        let limit = self.limit()?;
        let start = match self.cursor() {
            None => 0,
            Some(cursor) => {
                let parsed = cursor
                    .split_once('-')
                    .and_then(|(at, id)| Some((at.parse::<usize>().ok()?, id.parse::<Uuid>().ok()?)));
                let no_page = || {
                    ApiError::invalid_field(
                        "cursor",
                        format!("{cursor:?} is not a cursor of an earlier page"),
                    )
                };
                let (at, id) = parsed.ok_or_else(no_page)?;
                ids.iter().position(|known| *known == id).map_or(at.min(ids.len()), |last| last + 1)
            }
        };
        let end = ids.len().min(start + limit);
        let next_cursor = (end < ids.len()).then(|| format!("{}-{}", end - 1, ids[end - 1]));
        Ok((start..end, next_cursor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_to_the_end_whatever_comes_and_goes() {
        let mut ids = Vec::from_iter((0..5).map(Uuid::from_u128));
        let page = |ids: &[Uuid], limit, cursor: Option<&str>| {
            Paging { limit, cursor: cursor.map(String::from) }
                .range(ids)
                .map_err(|error| error.into_problem())
        };
        let (first, next) = page(&ids, Some(2), None).unwrap();
        assert_eq!((first, page(&ids, Some(3), next.as_deref())), (0..2, Ok((2..5, None))));
        let gone = ids.remove(0);
        assert_eq!(page(&ids, Some(3), next.as_deref()), Ok((1..4, None)), "one before has gone");
        ids.splice(0..1, [gone, Uuid::from_u128(9)]);
        assert_eq!(page(&ids, Some(3), next.as_deref()), Ok((1..4, Some(format!("3-{}", ids[3])))));
        ids.remove(1);
        assert_eq!(page(&ids, None, next.as_deref()), Ok((1..4, None)), "the last one has gone");
        assert_eq!(page(&ids[..1], None, next.as_deref()), Ok((1..1, None)));
        let far = format!("99-{}", Uuid::from_u128(7));
        assert_eq!(page(&ids, None, Some(&far)), Ok((4..4, None)));
        for (limit, cursor) in
            [(Some(0), None), (Some(201), None), (None, Some("-1")), (None, Some("2")), (None, Some(""))]
        {
            assert!(page(&ids, limit, cursor).is_err(), "{limit:?} {cursor:?}");
        }
    }
}
