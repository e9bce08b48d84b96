//! Where actions stand in the Open Cybersecurity Schema Framework: classes and their activities, as far as a product file
//! can name them. What an export makes of an event of a class is `delivery::export::ocsf`.

/// Version of the schema that classes and activities are taken from.
pub const VERSION: &str = "1.6.0";

/// A class of events.
#[derive(Debug, PartialEq, Eq)]
pub struct Class {
    /// Name in product files.
    pub name: &'static str,
    /// Number.
    pub uid: u32,
    /// What the schema calls it.
    pub caption: &'static str,
    /// Number of its category.
    pub category_uid: u32,
    /// What the schema calls its category.
    pub category: &'static str,
    /// Its activities by number; besides, every class has `Other`, 99.
    pub activities: &'static [(u32, &'static str)],
}

const IDENTITY: &str = "Identity & Access Management";

/// The class of an action that a product file gives none.
pub const API_ACTIVITY: Class = Class {
    name: "api_activity",
    uid: 6003,
    caption: "API Activity",
    category_uid: 6,
    category: "Application Activity",
    activities: &[(1, "Create"), (2, "Read"), (3, "Update"), (4, "Delete")],
};

/// The classes that a product file can name.
pub const CLASSES: [&Class; 6] = [
    &Class {
        name: "account_change",
        uid: 3001,
        caption: "Account Change",
        category_uid: 3,
        category: IDENTITY,
        activities: &[
            (1, "Create"),
            (2, "Enable"),
            (3, "Password Change"),
            (4, "Password Reset"),
            (5, "Disable"),
            (6, "Delete"),
            (7, "Attach Policy"),
            (8, "Detach Policy"),
            (9, "Lock"),
            (10, "MFA Factor Enable"),
            (11, "MFA Factor Disable"),
            (12, "Unlock"),
        ],
    },
    &Class {
        name: "authentication",
        uid: 3002,
        caption: "Authentication",
        category_uid: 3,
        category: IDENTITY,
        activities: &[(1, "Logon"), (2, "Logoff"), (7, "Account Switch")],
    },
    &Class {
        name: "entity_management",
        uid: 3004,
        caption: "Entity Management",
        category_uid: 3,
        category: IDENTITY,
        activities: &[
            (1, "Create"),
            (2, "Read"),
            (3, "Update"),
            (4, "Delete"),
            (5, "Move"),
            (6, "Enroll"),
            (7, "Unenroll"),
            (8, "Enable"),
            (9, "Disable"),
            (10, "Activate"),
            (11, "Deactivate"),
            (12, "Suspend"),
            (13, "Resume"),
        ],
    },
    &Class {
        name: "user_access",
        uid: 3005,
        caption: "User Access Management",
        category_uid: 3,
        category: IDENTITY,
        activities: &[(1, "Assign Privileges"), (2, "Revoke Privileges")],
    },
    &Class {
        name: "group_management",
        uid: 3006,
        caption: "Group Management",
        category_uid: 3,
        category: IDENTITY,
        activities: &[
            (1, "Assign Privileges"),
            (2, "Revoke Privileges"),
            (3, "Add User"),
            (4, "Remove User"),
            (5, "Delete"),
            (6, "Create"),
        ],
    },
    &API_ACTIVITY,
];

/// The number of an activity that a class has no name for.
pub const OTHER: u32 = 99;

/// Where an action stands: a class, and what of it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ocsf {
    /// The class.
    pub class: &'static Class,
    /// Number of the activity.
    pub activity: u32,
    /// What the schema calls the activity.
    pub caption: &'static str,
}

impl Ocsf {
    /// What stands for an action of which nothing is said.
    pub const UNKNOWN: Self = Self { class: &API_ACTIVITY, activity: OTHER, caption: "Other" };
}

impl Class {
    /// The activity of a name; `Other` is one of every class.
    #[must_use]
    pub fn activity(&'static self, name: &str) -> Option<Ocsf> {
        let others = [(OTHER, "Other")];
        let found = self.activities.iter().chain(&others).find(|(_, caption)| *caption == name).copied();
        found.map(|(activity, caption)| Ocsf { class: self, activity, caption })
    }
}
