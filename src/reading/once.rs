//! Equal parts of one request are answered once, however often it asks for them.

use std::{
    any::Any,
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use crate::error::Result;

type Answer = Arc<dyn Any + Send + Sync>;

/// What was answered, by what was asked.
#[derive(Default)]
pub struct Once(Mutex<HashMap<String, Arc<OnceCell<Result<Answer>>>>>);

impl Once {
    /// The answer to `asked`: `answer` if nobody has asked the same, else what came of it then. Whoever asks meanwhile waits
    /// for that. A text MUST always ask for the same type.
    ///
    /// # Errors
    /// Those of `answer`.
    ///
    /// # Panics
    /// Where one text asks for two types.
    pub async fn of<T: Clone + Send + Sync + 'static>(
        &self,
        asked: String,
        answer: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let cell = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(asked).or_default().clone();
        let found = cell.get_or_init(|| async {
            let answer: Answer = Arc::new(answer.await?);
            Ok(answer)
        });
        let found = found.await.clone()?;
        Ok(found.downcast_ref::<T>().expect("one text asks for one type").clone())
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::error::Error;

    #[tokio::test]
    async fn the_same_is_answered_once_and_a_refusal_too() {
        let (once, asked) = (Once::default(), AtomicU32::new(0));
        let count = async || {
            tokio::task::yield_now().await;
            Ok(asked.fetch_add(1, Ordering::SeqCst))
        };
        let both = tokio::join!(once.of("a".to_owned(), count()), once.of("a".to_owned(), count()));
        assert_eq!((both.0.unwrap(), both.1.unwrap()), (0, 0));
        assert_eq!(once.of("b".to_owned(), count()).await.unwrap(), 1);
        assert_eq!(once.of("a".to_owned(), count()).await.unwrap(), 0);
        let refused = || async { Err::<u32, _>(Error::TimedOut) };
        once.of("c".to_owned(), refused()).await.unwrap_err();
        once.of("c".to_owned(), count()).await.unwrap_err();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}
