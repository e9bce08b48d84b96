import '@ledgerline/viewer';
import { CUSTOM_ELEMENTS_SCHEMA, Component, provideZonelessChangeDetection, signal } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import type { LedgerlineLogEventMap } from '@ledgerline/viewer';

@Component({
  selector: 'app-root',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <main>
      <h1>Angular</h1>
      <button (click)="size.set(10)">Longer</button>
      <ledgerline-log
        [endpoint]="endpoint"
        token="e.e.e"
        [renewToken]="renewToken"
        [pageSize]="size()"
        [columns]="['time', 'actor']"
        (ledgerline-ready)="heard($event)"
      />
      <output>{{ ready() }}</output>
    </main>
  `,
})
class App {
  readonly endpoint = new URLSearchParams(location.search).get('endpoint');
  readonly ready = signal('');
  readonly size = signal(5);
  readonly renewToken = async () => (await fetch('/token')).text();

  heard(event: Event) {
    this.ready.set((event as LedgerlineLogEventMap['ledgerline-ready']).detail.product);
  }
}

bootstrapApplication(App, { providers: [provideZonelessChangeDetection()] });
