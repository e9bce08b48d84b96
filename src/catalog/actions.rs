//! The actions that a product records, and the categories they fall into.

use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

use super::{
    management::{OWN, own_label},
    ocsf::Ocsf,
};
use crate::{
    event::{ActorKind, Outcome},
    question::sought::{InLabel, Tested},
};

/// How many names an unknown one is answered with.
const NEAREST: usize = 3;

/// Below this likeness (0 to 1) a name is no help.
const LIKENESS: f64 = 0.6;

/// Categories and actions of a product, in the order of its file.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Whether any other action is accepted too.
    pub open: bool,
    /// What every name must look like, where the file asks for it.
    pub form: Option<ActionForm>,
    /// Kinds of actor that events may name, whatever the action; empty is any.
    pub actor_kinds: Vec<ActorKind>,
    /// Beginnings of names, for what is not listed.
    pub prefixes: Vec<Prefix>,
    /// Categories.
    pub categories: Vec<Category>,
    /// Actions.
    pub actions: Vec<Action>,
    /// What actions of the service itself are called, where a language has words of its own.
    pub(super) own_labels: HashMap<String, String>,
    /// What actions and categories are called in every language of the file: those are what is searched.
    pub(super) spoken: Spoken,
    /// Labels as search reads them, by their text. To read them again for each search would take longer than all else that
    /// it does before it asks the database.
    read: OnceLock<HashMap<String, Tested>>,
    places: HashMap<String, usize>,
}

/// Labels of all languages, each beside the name or code that it is of.
#[derive(Clone, Debug, Default)]
pub(super) struct Spoken {
    pub actions: Vec<(String, String)>,
    pub categories: Vec<(String, String)>,
}

/// A group of actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// What events carry.
    pub code: String,
    /// Name to choose it by.
    pub label: String,
    /// Name for a badge.
    pub short_label: String,
    /// A sentence for people.
    pub description: Option<String>,
}

/// Something that can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What events carry, exactly.
    pub name: String,
    /// Name to show.
    pub label: String,
    /// What holds for events of it.
    pub rules: Rules,
    /// A sentence for people.
    pub description: Option<String>,
}

/// A beginning of names: what is not listed and begins so is accepted, under rules of its own. The longest one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The beginning, such as `admin.`.
    pub prefix: String,
    /// What holds for events of it.
    pub rules: Rules,
    /// A sentence for people.
    pub description: Option<String>,
}

/// What holds for the events of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Code of the category.
    pub category: Option<String>,
    /// Levels in whose logs it may be recorded, the usual one first; empty is any.
    pub levels: Vec<String>,
    /// Kinds of actor that may do it; empty is any.
    pub actor_kinds: Vec<ActorKind>,
    /// Outcomes that an event may name; empty is any.
    pub outcomes: Vec<Outcome>,
    /// Outcome of an event that comes without one.
    pub default_outcome: Option<Outcome>,
    /// Where it stands in the Open Cybersecurity Schema Framework.
    pub ocsf: Option<Ocsf>,
}

/// What the names of actions must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionForm {
    /// `resource.action`: words with dots between, at least one.
    ResourceAction,
}

impl ActionForm {
    /// The form as files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResourceAction => "resource.action",
        }
    }

    /// What the form asks of a name.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::ResourceAction => {
                "must have the form resource.action, such as member.invited: words of letters, digits, - and _ with a \
                 dot between"
            }
        }
    }

    /// Whether a name has the form.
    #[must_use]
    pub fn fits(self, name: &str) -> bool {
        let is_word =
            |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        match self {
            Self::ResourceAction => name.contains('.') && name.split('.').all(is_word),
        }
    }
}

/// What an asked word means by the labels of a catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labelled {
    /// Names of the actions that are called so.
    pub actions: Vec<String>,
    /// Codes of the categories that are called so.
    pub categories: Vec<String>,
}

impl Catalog {
    /// A closed catalog of these actions and nothing else yet; of two actions with one name the first counts.
    #[must_use]
    pub fn of(actions: Vec<Action>) -> Self {
        let mut places = HashMap::with_capacity(actions.len());
        for (place, action) in actions.iter().enumerate() {
            places.entry(action.name.clone()).or_insert(place);
        }
        Self { actions, places, ..Self::default() }
    }

    /// The action of a name.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.places.get(name).and_then(|&place| self.actions.get(place))
    }

    /// The category of a code.
    #[must_use]
    pub fn category(&self, code: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.code == code)
    }

    /// What an action is called: its own label, else the one that the service gives its own actions, else its name.
    #[must_use]
    pub fn label_of(&self, action: &str) -> String {
        let own = || self.own_labels.get(action).map(String::as_str).or_else(|| own_label(action)).unwrap_or(action);
        self.action(action).map_or_else(own, |known| &known.label).to_owned()
    }

    /// What holds for a name: the rules of the action, else those of the longest beginning that fits.
    #[must_use]
    pub fn rules(&self, name: &str) -> Option<&Rules> {
        // A beginning alone names nothing: `admin.` is no action.
        let fits = |each: &&Prefix| name.len() > each.prefix.len() && name.starts_with(&each.prefix);
        let of_prefix = || self.prefixes.iter().filter(fits).max_by_key(|each| each.prefix.len());
        self.action(name).map(|action| &action.rules).or_else(|| of_prefix().map(|prefix| &prefix.rules))
    }

    /// Whether the catalog has a place for an action: it is listed, begins as it may, or the catalog is open.
    #[must_use]
    pub fn admits(&self, name: &str) -> bool {
        self.open || self.rules(name).is_some()
    }

    /// The names most like one that the catalog does not have, the likest first; at most three.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Vec<String> {
        nearest(name, self.actions.iter().map(|action| (action.name.as_str(), action.label.as_str())))
    }

    /// Every label that search finds, in all languages.
    fn labels(&self) -> impl Iterator<Item = &str> {
        let spoken = self.spoken.actions.iter().chain(&self.spoken.categories).map(|(_, label)| label.as_str());
        let categories = self.categories.iter().flat_map(|category| [&*category.label, &*category.short_label]);
        let own = OWN.iter().map(|(_, label)| *label);
        self.actions.iter().map(|action| action.label.as_str()).chain(own).chain(categories).chain(spoken)
    }

    /// The actions and categories with a label, in any language of the file, that has these words side by side, as is
    /// said. The language of whoever asks makes no difference: the same question finds the same events.
    #[must_use]
    pub fn labelled(&self, words: &str, how: InLabel) -> Labelled {
        let read = self.read.get_or_init(|| self.labels().map(|text| (text.to_owned(), Tested::key(text))).collect());
        let is_in = how.finds(words);
        let within = |label: &str| read.get(label).map_or_else(|| is_in(&Tested::key(label)), &is_in);
        let spoken = |labels: &'_ [(String, String)]| -> HashSet<String> {
            labels.iter().filter(|(_, label)| within(label)).map(|(name, _)| name.clone()).collect()
        };
        let (other_actions, other_categories) = (spoken(&self.spoken.actions), spoken(&self.spoken.categories));
        let is_so = |action: &&Action| within(&action.label) || other_actions.contains(&action.name);
        let actions = self.actions.iter().filter(is_so).map(|action| action.name.clone());
        let own = OWN.iter().filter(|(name, label)| {
            self.action(name).is_none() && (within(label) || other_actions.contains::<str>(name))
        });
        let actions = actions.chain(own.map(|(name, _)| (*name).to_owned()));
        let categories = self.categories.iter().filter(|category| {
            within(&category.label) || within(&category.short_label) || other_categories.contains(&category.code)
        });
        Labelled { actions: actions.collect(), categories: categories.map(|category| category.code.clone()).collect() }
    }
}

/// Of names with their labels, those most like what was written, the likest first; at most three.
pub(crate) fn nearest<'a>(written: &str, known: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let written = written.to_lowercase();
    let likeness = |text: &str| strsim::jaro_winkler(&written, &text.to_lowercase());
    let mut found: Vec<(f64, &str)> = known
        .map(|(name, label)| (likeness(name).max(likeness(label)), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    found.into_iter().take(NEAREST).map(|(_, name)| name.to_owned()).collect()
}
