interface Described {
  name: string;
  description?: string;
}

export function manifest(): {
  modules: {
    path: string;
    declarations: Record<'attributes' | 'members' | 'events' | 'cssProperties', Described[]>[];
  }[];
};
